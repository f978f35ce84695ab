"""Scrapes: when counters were read, and whether they moved."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.answers import Operation, Row, answer
from api.parameters import Asked, Day, Texts

router = APIRouter(tags=["sources"])


class Scrape(Row):
    """One reading of all counters of a source."""

    source: str = Field(description="huggingface, modelscope")
    observed_at: datetime = Field(description="Moment of the scrape, UTC")
    models: int = Field(description="Models observed")
    compared: int = Field(description="Those with an earlier observation to compare with")
    standing: int = Field(description="Those whose raw counter equals the one before")
    complete: bool = Field(description="Whether the scrape got all it wanted")
    missing: int = Field(description="Models it wanted and did not get: private, deleted, refused")
    stalled: bool = Field(description="Whether nearly all counters stood still for most of a day")


class ScrapesAsked(Asked):
    """Which scrapes."""

    source: Texts = Field([], description="huggingface, modelscope")
    since: Day | None = Field(None, description="Of this day or later")
    until: Day | None = Field(None, description="Of this day or earlier")


OPERATION = Operation(
    "scrapes",
    Scrape,
    [paging.latest("observed_at"), paging.text("source")],
    ("huggingface", "modelscope"),
    {
        "source": "huggingface",
        "observed_at": "2026-04-01T12:00:00.000Z",
        "models": 1811,
        "compared": 1809,
        "standing": 240,
        "complete": True,
        "missing": 0,
        "stalled": False,
    },
)


@router.get("/scrapes", **OPERATION.described())
async def scrapes(request: Request, asked: Annotated[ScrapesAsked, Query()]) -> Response:
    """Scrapes of download counters, the latest first: how many models, how many stood still."""
    return await answer(request, OPERATION, asked)
