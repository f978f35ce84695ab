"""Scrapes of download counters."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.operation import Operation, Row
from api.parameters import Counters, Day, OperationParameters
from api.responses import respond

router = APIRouter(tags=["sources"])


class Scrape(Row):
    """A scrape of all counters of a source."""

    source: str = Field(description="huggingface, modelscope")
    observed_at: datetime = Field(description="Time of the scrape, UTC")
    models: int = Field(description="Models observed")
    missing: int = Field(description="Models requested and not observed: private, deleted, refused")
    complete: bool = Field(description="Whether the scrape observed all models it requested")


class ScrapesParameters(OperationParameters):
    """Filters of scrapes."""

    source: list[Counters] = Field([], max_length=2, description="Sources of the counters")
    since: Day | None = Field(None, description="On this day or later")
    until: Day | None = Field(None, description="On this day or earlier")

    def sources(self, all_sources: tuple[str, ...]) -> tuple[str, ...]:
        """Return the sources of the counters."""
        return tuple(self.source) or all_sources


OPERATION = Operation(
    "scrapes",
    Scrape,
    [paging.latest("observed_at"), paging.text("source")],
    ("huggingface", "modelscope"),
    {
        "source": "huggingface",
        "observed_at": "2026-04-01T12:00:00.000Z",
        "models": 1811,
        "missing": 0,
        "complete": True,
    },
)


@router.get("/scrapes", **OPERATION.openapi())
async def scrapes(request: Request, params: Annotated[ScrapesParameters, Query()]) -> Response:
    """Scrapes of download counters, the latest first."""
    return await respond(request, OPERATION, params)
