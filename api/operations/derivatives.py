"""Derivatives and the families they make."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.answers import Operation, Row, answer
from api.parameters import Asked, Day, OfModels, Texts

router = APIRouter(tags=["derivatives"])
_SOURCES = ("huggingface", "tracked-models")


class Derivatives(Row):
    """Derivatives of an organisation's models, created in one month."""

    source: str
    month: date = Field(description="First day of the UTC month in which they were created")
    org: str = Field(description="Organisation they derive from")
    region: str | None
    relation: str = Field(description="adapter, merge, quantized, finetune or unknown")
    new: int = Field(description="Derivatives with more than 5 downloads, created in the month")
    cumulative: int = Field(description="Those created until its end")


class Family(Row):
    """A tracked model and what its derivatives add."""

    model_id: str
    org: str
    region: str | None
    size_bin: str | None
    own_downloads: int | None = Field(description="null = never observed")
    derivatives: int
    quantized_downloads: int
    finetune_downloads: int
    adapter_downloads: int
    merge_downloads: int
    unknown_downloads: int
    family_downloads: int | None = Field(description="null = it itself was never observed")
    as_of: datetime | None


class DerivativesAsked(Asked):
    """Which derivatives."""

    org: Texts = Field([], description="Organisations they derive from")
    region: Texts = Field([], description="us, china, eu, other, unknown, or unreviewed")
    relation: Texts = Field([], description="adapter, merge, quantized, finetune or unknown")
    since: Day | None = Field(None, description="Months that begin on this day or later")
    until: Day | None = Field(None, description="Months that begin on this day or earlier")


DERIVATIVES = Operation(
    "derivatives",
    Derivatives,
    [
        paging.text("source"),
        paging.text("month"),
        paging.text("org"),
        paging.text("relation"),
    ],
    _SOURCES,
    {
        "source": "huggingface",
        "month": "2026-03-01",
        "org": "qi",
        "region": "china",
        "relation": "finetune",
        "new": 120,
        "cumulative": 4100,
    },
)
FAMILIES = Operation(
    "families",
    Family,
    [paging.greatest("family_downloads"), paging.text("model_id")],
    _SOURCES,
    {
        "model_id": "qi/Big-300B",
        "org": "qi",
        "region": "china",
        "size_bin": "250B+",
        "own_downloads": 17371,
        "derivatives": 3,
        "quantized_downloads": 50,
        "finetune_downloads": 100,
        "adapter_downloads": 0,
        "merge_downloads": 8,
        "unknown_downloads": 0,
        "family_downloads": 17529,
        "as_of": "2026-04-01T12:00:00.000Z",
    },
)


@router.get("/derivatives", **DERIVATIVES.described())
async def derivatives(request: Request, asked: Annotated[DerivativesAsked, Query()]) -> Response:
    """Derivatives by month of creation, organisation they derive from, and relation.

    By the newest survey of the Hub, whatever `as_of` says.
    """
    return await answer(request, DERIVATIVES, asked)


@router.get("/families", **FAMILIES.described())
async def families(request: Request, asked: Annotated[OfModels, Query()]) -> Response:
    """Downloads of each tracked model and of its derivatives, the greatest family first.

    By the newest survey of the Hub, whatever `as_of` says.
    """
    return await answer(request, FAMILIES, asked)
