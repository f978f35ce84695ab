"""Derivatives, and families of models."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.operation import Operation, Row
from api.parameters import Day, ModelFilters, OperationParameters, Regions, Texts
from api.responses import respond

router = APIRouter(tags=["derivatives"])
_SOURCES = ("huggingface", "tracked-models")


class Derivatives(Row):
    """Derivatives of an organisation's models that were created in one month."""

    source: str
    month: date = Field(description="First day of the UTC month in which they were created")
    org: str = Field(description="Organisation of the base model")
    region: str | None
    relation: str = Field(description="adapter, merge, quantized, finetune or unknown")
    new: int = Field(description="Derivatives with more than 5 downloads, created in the month")
    cumulative: int = Field(description="Derivatives created until the end of the month")
    whole: bool = Field(description="Whether derivatives were observed after the end of the month")


class Family(Row):
    """Downloads of a tracked model and of its derivatives."""

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
    family_downloads: int | None = Field(description="null = the model itself was never observed")
    as_of: datetime | None


class DerivativesParameters(OperationParameters):
    """Filters of derivatives."""

    org: Texts = Field([], description="Organisations of the base models")
    region: Regions = Field([])
    relation: list[Literal["adapter", "merge", "quantized", "finetune", "unknown"]] = Field(
        [], max_length=5, description="Relations to the base model; unknown = the Hub has none"
    )
    since: Day | None = Field(None, description="Months that begin on this day or later")
    until: Day | None = Field(None, description="Months that begin on this day or earlier")


DERIVATIVES = Operation(
    "derivatives",
    Derivatives,
    [paging.text(column) for column in ("source", "month", "org", "relation")],
    _SOURCES,
    {
        "source": "huggingface",
        "month": "2026-03-01",
        "org": "qi",
        "region": "china",
        "relation": "finetune",
        "new": 120,
        "cumulative": 4100,
        "whole": True,
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


@router.get("/derivatives", **DERIVATIVES.openapi())
async def derivatives(
    request: Request, params: Annotated[DerivativesParameters, Query()]
) -> Response:
    """Derivatives by month of creation, organisation of the base model, and relation.

    As of the latest survey of the Hub, for every `as_of`.
    """
    return await respond(request, DERIVATIVES, params)


@router.get("/families", **FAMILIES.openapi())
async def families(request: Request, params: Annotated[ModelFilters, Query()]) -> Response:
    """Downloads of each tracked model and of its derivatives, the largest family first.

    As of the latest survey of the Hub, for every `as_of`.
    """
    return await respond(request, FAMILIES, params)
