"""Ratings of external leaderboards, as published."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.operation import Operation, Row
from api.parameters import Day, OperationParameters, Regions, Texts
from api.responses import respond

router = APIRouter(tags=["leaderboards"])
_REGIONS = "tracked-models"


class Rating(Row):
    """A model on a leaderboard."""

    source: str = Field(description="arena or artificial-analysis")
    board: str
    index_version: str = Field(description="Ratings of different versions are not comparable")
    published_on: date
    name: str
    rating: float
    lower: float | None = Field(description="Lower bound of the 95% interval")
    upper: float | None = Field(description="Upper bound of the 95% interval")
    votes: int | None
    open: bool | None = Field(description="Whether the weights are open; null = not classified yet")
    model_id: str | None
    org: str | None
    region: str | None
    observed_at: datetime


class LeaderboardsParameters(OperationParameters):
    """Filters of ratings."""

    source: list[Literal["arena", "artificial-analysis"]] = Field(
        [], max_length=2, description="Publishers of leaderboards"
    )
    board: Texts = Field([], description="text, text_style_control, intelligence_index and so on")
    index_version: Texts = Field([], description="Versions of the rating method")
    model: Texts = Field([], description="Model ids, as `org/name`")
    org: Texts = Field([], description="Organisations of the Hub")
    region: Regions = Field([])
    open: bool | None = Field(None, description="Open models only (true), or closed only (false)")
    best: bool = Field(False, description="Only the best open model of each region")
    since: Day | None = Field(None, description="Published on this day or later")
    until: Day | None = Field(None, description="Published on this day or earlier")

    def sources(self, all_sources: tuple[str, ...]) -> tuple[str, ...]:
        """Return the publishers, and where regions are from."""
        return (*self.source, _REGIONS) if self.source else all_sources


OPERATION = Operation(
    "leaderboards",
    Rating,
    [
        paging.latest_day("published_on"),
        *(paging.text(column) for column in ("source", "board", "index_version")),
        paging.greatest("rating"),
        paging.text("name"),
    ],
    ("arena", "artificial-analysis", _REGIONS),
    {
        "source": "arena",
        "board": "text",
        "index_version": "",
        "published_on": "2026-03-30",
        "name": "big-300b",
        "rating": 1412.0,
        "lower": 1405.0,
        "upper": 1419.0,
        "votes": 8123,
        "open": True,
        "model_id": "qi/Big-300B",
        "org": "qi",
        "region": "china",
        "observed_at": "2026-03-30T06:00:00.000Z",
    },
)


@router.get("/leaderboards", **OPERATION.openapi())
async def leaderboards(
    request: Request, params: Annotated[LeaderboardsParameters, Query()]
) -> Response:
    """Ratings as published, the latest leaderboard first, with the model id of each name."""
    return await respond(request, OPERATION, params)
