"""The Relative Adoption Metric (RAM): current, by age, baselines, breakouts."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.operation import Operation, Row
from api.parameters import (
    Age,
    BaselineName,
    Day,
    ModelFilters,
    OperationParameters,
    Texts,
    WholeAges,
)
from api.responses import respond
from breakout.core.ages import MILESTONES
from breakout.core.sizes import SizeBin
from breakout.settings import Settings

router = APIRouter(tags=["RAM"])
RESTATED = ("live_fixed", "live_cutoff")
"""Baselines that later observations restate: only their latest state is available."""
_SOURCES = ("huggingface", "tracked-models")


def restated(baselines: list[str]) -> str | None:
    """Return why an earlier `as_of` is not available for one of these baselines, None if it is."""
    for name in baselines:
        if name in RESTATED:
            return f"later observations restate {name}: omit as_of, only the latest is available"
    return None


class RamTerms(Row):
    """RAM of a model, with the terms it is computed from."""

    baseline: str = Field(description="RAM of different baselines is not comparable")
    model_id: str
    org: str
    region: str | None
    size_bin: str
    total_params_b: float | None
    released_at: date | None
    tracked: bool = Field(description="Whether the model can be a peer of others")
    cumulative: int
    baseline_downloads: float | None = Field(description="Downloads at which RAM is 1.0")
    peers: int
    ram: float | None = Field(description="null with fewer than 10 peers")
    ram_capped: float | None = Field(
        description="RAM with each day capped at 10 times the median day so far; null = too few "
        "days or peers"
    )


class Ram(RamTerms):
    """Rolling RAM of a model."""

    age_days: float = Field(description="Exact age at the latest observation, days")
    as_of: datetime = Field(description="Latest observation, UTC")


class RamAtAge(RamTerms):
    """RAM of a model at a whole-day age."""

    age_days: int
    as_of: datetime = Field(description="When the model had that age, UTC")


class Baseline(Row):
    """Downloads at which RAM is 1.0."""

    baseline: str
    size_bin: str
    age_days: int
    peers: int = Field(description="Number of models in the baseline, up to 10")
    downloads: float | None = Field(description="null with fewer than 10 peers")
    as_of: datetime | None = Field(description="Latest observation in the baseline, UTC")


class Breakout(Row):
    """First time that a model's RAM reached 1.0."""

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
    ended_at: datetime | None = Field(description="null = ongoing")
    status: str = Field(description="confirmed, or burst: a few days alone brought it to 1.0")
    confirmed_at: datetime | None = Field(
        description="First time since the crossing that ram_capped was 1.0 or more; null = a burst"
    )
    ram_capped: float | None = Field(
        description="RAM at the crossing with each day capped at 10 times the median day so far; "
        "null = too few days"
    )
    top_day_share: float | None = Field(
        description="Share of the greatest day in the downloads up to the crossing"
    )


class BaselineFilters(ModelFilters):
    """Filters of models, and the baseline."""

    baseline: BaselineName = Field("live")
    tracked: bool | None = Field(None, description="Tracked models only (true), or others (false)")

    def latest_only(self) -> str | None:
        """Return why an earlier `as_of` is not available, None if it is."""
        return restated([self.baseline])

    def is_of_one_model(self) -> bool:
        """Return whether all rows are of the one model of `model`, and have its id."""
        return len(self.model) == 1


class RamParameters(BaselineFilters):
    """Filters of RAM."""

    min_age: Age | None = Field(None, description="Minimum age, days")
    max_age: Age | None = Field(None, description="Maximum age, days")


class RamCurvesParameters(BaselineFilters):
    """Filters of RAM by age."""

    age_days: WholeAges = Field([])


class BaselinesParameters(OperationParameters):
    """Filters of baselines."""

    baseline: Texts = Field(
        ["live"], description="live, live_fixed, live_cutoff, or frozen baselines"
    )
    size_bin: list[SizeBin] = Field([], max_length=100, description="Size bins")
    age_days: WholeAges = Field([])

    def latest_only(self) -> str | None:
        """Return why an earlier `as_of` is not available, None if it is."""
        return restated(self.baseline)


class BreakoutsParameters(ModelFilters):
    """Filters of breakouts."""

    baseline: BaselineName = Field("live")
    lasting: bool | None = Field(None, description="Ongoing only (true), or ended only (false)")
    status: Annotated[list[Literal["confirmed", "burst"]], Field(max_length=2)] = Field(
        [], description="confirmed, burst; default: both"
    )
    since: Day | None = Field(None, description="RAM reached 1.0 on this day or later")
    until: Day | None = Field(None, description="RAM reached 1.0 on this day or earlier")


_FACTS = {
    "baseline": "live",
    "model_id": "qi/Big-300B",
    "org": "qi",
    "region": "china",
    "size_bin": "250B+",
    "total_params_b": 300.0,
    "released_at": "2026-01-15",
}
_TERMS = {
    "tracked": True,
    "age_days": 30,
    "as_of": "2026-02-14T00:00:00.000Z",
    "cumulative": 45000,
    "baseline_downloads": 30000.0,
    "peers": 10,
    "ram": 1.5,
    "ram_capped": 1.42,
}
RAM = Operation(
    "ram",
    Ram,
    [paging.greatest("ram"), paging.text("model_id")],
    _SOURCES,
    {**_FACTS, **_TERMS, "age_days": 30.5},
    has_history=True,
)
CURVES = Operation(
    "ram_curves",
    RamAtAge,
    [paging.text("model_id"), paging.number("age_days")],
    _SOURCES,
    {**_FACTS, **_TERMS},
    has_history=True,
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
    has_history=True,
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
        "status": "confirmed",
        "confirmed_at": "2026-01-29T00:00:00.000Z",
        "ram_capped": 1.08,
        "top_day_share": 0.14,
    },
    has_history=True,
)


@router.get("/ram", **RAM.openapi())
async def ram(request: Request, params: Annotated[RamParameters, Query()]) -> Response:
    """Rolling RAM of every model up to a year old, the highest first."""
    return await respond(request, RAM, params)


@router.get("/ram/curves", **CURVES.openapi())
async def ram_curves(request: Request, params: Annotated[RamCurvesParameters, Query()]) -> Response:
    """RAM by age in whole days."""
    return await respond(request, CURVES, params)


@router.get("/ram/milestones", **CURVES.openapi())
async def ram_milestones(request: Request, params: Annotated[BaselineFilters, Query()]) -> Response:
    """RAM at 7, 14, 30, 60, 90, 180 and 365 days."""
    return await respond(request, CURVES, params, fixed={"age_days": list(MILESTONES)})


@router.get("/baselines", **BASELINES.openapi())
async def baselines(request: Request, params: Annotated[BaselinesParameters, Query()]) -> Response:
    """Baselines by size bin and age: the downloads at which RAM is 1.0."""
    return await respond(request, BASELINES, params)


@router.get("/breakouts", **BREAKOUTS.openapi())
async def breakouts(request: Request, params: Annotated[BreakoutsParameters, Query()]) -> Response:
    """Breakouts: young models whose RAM reached 1.0 for the first time, the latest first."""
    settings: Settings = request.app.state.settings
    ages: dict[str, int | list[int]] = {
        "min_age": settings.breakout_min_age_days,
        "max_age": settings.breakout_max_age_days,
    }
    return await respond(request, BREAKOUTS, params, fixed=ages)
