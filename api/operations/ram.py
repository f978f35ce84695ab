"""The Relative Adoption Metric: scores, curves, milestones, baselines, breakouts."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.answers import Operation, Row, answer
from api.parameters import Age, Asked, Day, OfModels, Text, Texts
from breakout.core.ages import MILESTONES
from breakout.settings import Settings

router = APIRouter(tags=["RAM"])
RESTATED = ("live_fixed", "live_cutoff")
"""Baselines whose past is restated as models are observed further: known as of now alone."""
_SOURCES = ("huggingface", "tracked-models")


def _restated(baselines: list[str]) -> str | None:
    restated = [name for name in baselines if name in RESTATED]
    if not restated:
        return None
    return f"{restated[0]} is restated as models are observed further: known as of now alone"


class Scored(Row):
    """A score of a model, with the two numbers it is made of."""

    baseline: str = Field(description="Never compare scores of different ones")
    model_id: str
    org: str
    region: str | None
    size_bin: str
    total_params_b: float | None
    released_at: date | None
    tracked: bool = Field(description="Whether it counts among the peers")


class Ram(Scored):
    """Rolling RAM of a model."""

    age_days: float = Field(description="Exact age at the latest observation, days")
    as_of: datetime = Field(description="Latest observation, UTC")
    cumulative: int
    baseline_downloads: float | None = Field(description="Downloads at which RAM is 1.0")
    peers: int
    ram: float | None = Field(description="null with fewer than 10 peers")


class RamAtAge(Scored):
    """RAM of a model at a whole-day age."""

    age_days: int
    as_of: datetime = Field(description="Moment of that age, UTC")
    cumulative: int
    baseline_downloads: float | None = Field(description="Downloads at which RAM is 1.0")
    peers: int
    ram: float | None = Field(description="null with fewer than 10 peers")


class Baseline(Row):
    """Where RAM is 1.0."""

    baseline: str
    size_bin: str
    age_days: int
    peers: int = Field(description="Models it rests on, 10 at most")
    downloads: float | None = Field(description="null with fewer than 10 peers")
    as_of: datetime | None = Field(description="Latest moment it rests on, UTC")


class Breakout(Row):
    """A first crossing of 1.0x."""

    baseline: str
    model_id: str
    org: str
    region: str | None
    size_bin: str | None
    total_params_b: float | None
    released_at: date | None
    crossed_at: datetime
    age_days: int
    ram: float
    ended_at: datetime | None = Field(description="null = it was still a breakout")


class OfBaseline(OfModels):
    """Which models, against which baseline."""

    baseline: Text = Field("live", description="live, live_fixed, live_cutoff, or a frozen one")
    tracked: bool | None = Field(None, description="Only those on the tracked list, or not on it")

    def known_now_alone(self) -> str | None:
        """Return why this cannot be asked as of an earlier moment, None where it can."""
        return _restated([self.baseline])


class RamAsked(OfBaseline):
    """Which scores."""

    min_age: Age | None = Field(None, description="Youngest age, days")
    max_age: Age | None = Field(None, description="Oldest age, days")


class CurvesAsked(OfBaseline):
    """Which curves."""

    age_days: Annotated[list[Annotated[int, Field(ge=0, le=365)]], Field(max_length=400)] = Field(
        [], description="Whole days since release; all unless said"
    )


class BaselinesAsked(Asked):
    """Which baselines."""

    baseline: Texts = Field(["live"], description="live, live_fixed, live_cutoff, or frozen ones")
    size_bin: Texts = Field([], description="Size bins")
    age_days: Annotated[list[Annotated[int, Field(ge=0, le=365)]], Field(max_length=400)] = Field(
        [], description="Whole days since release; all unless said"
    )

    def known_now_alone(self) -> str | None:
        """Return why this cannot be asked as of an earlier moment, None where it can."""
        return _restated(self.baseline)


class BreakoutsAsked(OfModels):
    """Which breakouts."""

    baseline: Text = Field("live", description="live, live_fixed, live_cutoff, or a frozen one")
    lasting: bool | None = Field(None, description="Only those that last, or that have ended")
    since: Day | None = Field(None, description="Crossed on this day or later")
    until: Day | None = Field(None, description="Crossed on this day or earlier")


_FACTS = {
    "baseline": "live",
    "model_id": "qi/Big-300B",
    "org": "qi",
    "region": "china",
    "size_bin": "250B+",
    "total_params_b": 300.0,
    "released_at": "2026-01-15",
}
_SCORE = {
    "tracked": True,
    "age_days": 30,
    "as_of": "2026-02-14T00:00:00.000Z",
    "cumulative": 45000,
    "baseline_downloads": 30000.0,
    "peers": 10,
    "ram": 1.5,
}
NOW = Operation(
    "ram",
    Ram,
    [paging.greatest("ram"), paging.text("model_id")],
    _SOURCES,
    {**_FACTS, **_SCORE, "age_days": 30.5},
)
CURVES = Operation(
    "ram_curves",
    RamAtAge,
    [paging.text("model_id"), paging.number("age_days")],
    _SOURCES,
    {**_FACTS, **_SCORE},
)
BASELINES = Operation(
    "baselines",
    Baseline,
    [paging.text("baseline"), paging.text("size_bin"), paging.number("age_days")],
    _SOURCES,
    {
        "baseline": "live",
        "size_bin": "250B+",
        "age_days": 30,
        "peers": 10,
        "downloads": 30000.0,
        "as_of": "2026-02-14T00:00:00.000Z",
    },
)
BREAKOUTS = Operation(
    "breakouts",
    Breakout,
    [paging.latest("crossed_at"), paging.text("model_id")],
    _SOURCES,
    {
        **_FACTS,
        "crossed_at": "2026-01-29T00:00:00.000Z",
        "age_days": 14,
        "ram": 1.12,
        "ended_at": None,
    },
)


@router.get("/ram", **NOW.described())
async def ram(request: Request, asked: Annotated[RamAsked, Query()]) -> Response:
    """The leaderboard: every scored model by its rolling RAM, the greatest first."""
    return await answer(request, NOW, asked)


@router.get("/ram/curves", **CURVES.described())
async def ram_curves(request: Request, asked: Annotated[CurvesAsked, Query()]) -> Response:
    """RAM of each model at whole-day ages."""
    return await answer(request, CURVES, asked)


@router.get("/ram/milestones", **CURVES.described())
async def ram_milestones(request: Request, asked: Annotated[OfBaseline, Query()]) -> Response:
    """RAM of each model at 7, 14, 30, 60, 90, 180 and 365 days."""
    return await answer(request, CURVES, asked, fixed={"age_days": list(MILESTONES)})


@router.get("/baselines", **BASELINES.described())
async def baselines(request: Request, asked: Annotated[BaselinesAsked, Query()]) -> Response:
    """Baselines by size bin and age: the downloads at which RAM is 1.0."""
    return await answer(request, BASELINES, asked)


@router.get("/breakouts", **BREAKOUTS.described())
async def breakouts(request: Request, asked: Annotated[BreakoutsAsked, Query()]) -> Response:
    """First crossings of 1.0x by young models, the latest first."""
    settings: Settings = request.app.state.settings
    ages: dict[str, int | list[int]] = {
        "min_age": settings.breakout_min_age_days,
        "max_age": settings.breakout_max_age_days,
    }
    return await answer(request, BREAKOUTS, asked, fixed=ages)
