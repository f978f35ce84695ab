"""Sources of the data, and organisations."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.operation import Operation, Row
from api.parameters import OperationParameters, Regions, Text, Texts
from api.responses import respond

router = APIRouter(tags=["sources"])


class Source(Row):
    """A source, its licence and its citation."""

    source: str
    title: str
    measures: str
    url: str
    licence: str
    as_of: datetime | None = Field(
        description="Timestamp of its latest data here; null = no data yet"
    )
    citation: str


class Organisation(Row):
    """An organisation on the Hub."""

    org: str
    region: str | None
    models: int
    tracked: int


class OrganisationsParameters(OperationParameters):
    """Filters of organisations."""

    org: Texts = Field([], description="Organisations of the Hub")
    region: Regions = Field([])
    search: Text | None = Field(None, description="Part of the organisation's name, ignoring case")


SOURCES = Operation(
    "sources",
    Source,
    [paging.text("source")],
    ("huggingface", "modelscope", "tracked-models", "openrouter", "arena", "artificial-analysis"),
    {
        "source": "openrouter",
        "title": "OpenRouter rankings",
        "measures": "Tokens by model and day",
        "url": "https://openrouter.ai/rankings",
        "licence": "CC BY 4.0",
        "as_of": "2026-04-01T12:00:00.000Z",
        "citation": "Source: OpenRouter (openrouter.ai/rankings), as of 2026-04-01T12:00:00Z.",
    },
)
ORGANISATIONS = Operation(
    "organisations",
    Organisation,
    [paging.text("org")],
    ("tracked-models", "huggingface"),
    {"org": "qi", "region": "china", "models": 2, "tracked": 2},
)


@router.get("/sources", **SOURCES.openapi())
async def sources(request: Request, params: Annotated[OperationParameters, Query()]) -> Response:
    """All sources with licence and citation."""
    return await respond(request, SOURCES, params)


@router.get("/organisations", **ORGANISATIONS.openapi())
async def organisations(
    request: Request, params: Annotated[OrganisationsParameters, Query()]
) -> Response:
    """Organisations by region or part of the name, with their number of models."""
    return await respond(request, ORGANISATIONS, params)
