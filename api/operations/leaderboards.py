"""Leaderboards of others, as published."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.answers import Operation, Row, answer
from api.parameters import Asked, Day, Texts

router = APIRouter(tags=["leaderboards"])


class Rating(Row):
    """A model on a leaderboard."""

    source: str = Field(description="arena or artificial-analysis")
    board: str
    index_version: str = Field(description="Ratings of different versions are never compared")
    published_on: date
    name: str
    rating: float
    lower: float | None = Field(description="Lower end of its 95% interval")
    upper: float | None = Field(description="Upper end of its 95% interval")
    votes: int | None
    open: bool | None = Field(description="null = nobody has classified it")
    model_id: str | None
    org: str | None
    region: str | None
    observed_at: datetime


class LeaderboardsAsked(Asked):
    """Which ratings."""

    source: Texts = Field([], description="arena, artificial-analysis")
    board: Texts = Field([], description="text, text_style_control, intelligence_index and so on")
    index_version: Texts = Field([], description="Versions of the rating's method")
    org: Texts = Field([], description="Organisations of the Hub")
    region: Texts = Field([], description="us, china, eu, other, unknown, or unreviewed")
    open: bool | None = Field(None, description="Only models with downloadable weights, or without")
    best: bool = Field(False, description="Only the best open model of each region")
    since: Day | None = Field(None, description="Published on this day or later")
    until: Day | None = Field(None, description="Published on this day or earlier")


OPERATION = Operation(
    "leaderboards",
    Rating,
    [
        paging.latest_day("published_on"),
        paging.text("source"),
        paging.text("board"),
        paging.text("index_version"),
        paging.greatest("rating"),
        paging.text("name"),
    ],
    ("arena", "artificial-analysis"),
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


@router.get("/leaderboards", **OPERATION.described())
async def leaderboards(request: Request, asked: Annotated[LeaderboardsAsked, Query()]) -> Response:
    """Ratings as published, the latest leaderboard first, with what each name means."""
    return await answer(request, OPERATION, asked)
