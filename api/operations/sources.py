"""Where the numbers come from, and whose models they are of."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.answers import Operation, Row, answer
from api.parameters import Asked, Texts

router = APIRouter(tags=["sources"])


class Source(Row):
    """A source, its licence, and how to cite it."""

    source: str
    title: str
    measures: str
    url: str
    licence: str
    as_of: datetime | None = Field(description="Moment of its latest numbers here; null = none yet")
    citation: str


class Organisation(Row):
    """An organisation of the Hub."""

    org: str
    region: str | None
    models: int
    tracked: int


class OrganisationsAsked(Asked):
    """Which organisations."""

    region: Texts = Field([], description="us, china, eu, other, unknown, or unreviewed")


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
    ("tracked-models",),
    {"org": "qi", "region": "china", "models": 2, "tracked": 2},
)


@router.get("/sources", **SOURCES.described())
async def sources(request: Request, asked: Annotated[Asked, Query()]) -> Response:
    """Every source with its licence and how to cite it."""
    return await answer(request, SOURCES, asked)


@router.get("/organisations", **ORGANISATIONS.described())
async def organisations(
    request: Request, asked: Annotated[OrganisationsAsked, Query()]
) -> Response:
    """Organisations and their regions."""
    return await answer(request, ORGANISATIONS, asked)
