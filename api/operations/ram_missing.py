"""Why models have no RAM."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.operation import Operation, Row
from api.operations.ram import BaselineFilters
from api.responses import respond

router = APIRouter(tags=["RAM"])
_REASONS = (
    "no_size, size_disputed, no_release_date, never_observed, not_released, too_old, "
    "too_few_peers or idle_peers"
)


class RamMissing(Row):
    """A model without RAM now, or without RAM at any whole-day age."""

    model_id: str
    org: str
    region: str | None
    size_bin: str | None
    released_at: date | None
    tracked: bool
    observed_at: datetime | None = Field(description="Latest knot of its counter, UTC")
    age_days: float | None = Field(description="Exact age at that moment, days")
    peers: int | None = Field(description="Models in the baseline at that age, up to 10")
    reason: str | None = Field(description=f"Why it has no RAM now: {_REASONS}; null = it has one")
    detail: str | None = Field(description="The reason in words")
    curve_reason: str | None = Field(
        description="Why it has no RAM at any whole-day age: the same, no_whole_day or "
        "observed_too_seldom; null = it has one"
    )
    curve_detail: str | None = Field(description="The reason in words")


OPERATION = Operation(
    "ram_missing",
    RamMissing,
    [paging.text("model_id")],
    ("huggingface", "tracked-models"),
    {
        "model_id": "qi/Big-300B",
        "org": "qi",
        "region": "china",
        "size_bin": "250B+",
        "released_at": "2026-01-15",
        "tracked": True,
        "observed_at": "2026-04-01T12:00:00.000Z",
        "age_days": 76.5,
        "peers": 6,
        "reason": "too_few_peers",
        "detail": "6 of 10 peers",
        "curve_reason": None,
        "curve_detail": None,
    },
)


@router.get("/ram/missing", **OPERATION.openapi())
async def ram_missing(request: Request, params: Annotated[BaselineFilters, Query()]) -> Response:
    """Models without RAM, and why.

    As of the latest observations, for every `as_of`.
    """
    return await respond(request, OPERATION, params)
