"""Adoption of models: the downloads and the RAM of each, in several orders."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.operation import Operation, Row
from api.operations.ram import BaselineFilters
from api.paging import Key
from api.parameters import Day
from api.responses import respond

router = APIRouter(tags=["models"])


class Adoption(Row):
    """A model, its downloads and its RAM."""

    model_id: str
    org: str
    region: str | None
    size_bin: str | None
    total_params_b: float | None
    released_at: date | None
    tracked: bool
    downloads: int | None = Field(description="Cumulative downloads; null = never observed")
    as_of: datetime | None = Field(description="When the counter was last known, UTC")
    age_days: float | None = Field(description="Exact age then, days; null with `ram`'s terms")
    baseline_downloads: float | None = Field(description="Downloads at which RAM is 1.0")
    peers: int | None
    ram: float | None = Field(
        description="null without a size bin or a release date, above 365 days, or below 10 peers"
    )


class AdoptionParameters(BaselineFilters):
    """Filters and order of models."""

    released_from: Day | None = Field(None, description="Released on this day or later")
    released_to: Day | None = Field(None, description="Released on this day or earlier")
    search: str = Field(
        "", max_length=200, description="Words that the model id must have, in any order and case"
    )
    sort: Literal["ram", "downloads", "released", "model"] = Field(
        "ram", description="The highest, the most, the latest, or the first of the alphabet first"
    )

    def values(self) -> dict[str, Any]:
        """Return the operation's own parameters as ClickHouse takes them."""
        # The included query of RAM has them.
        return {**super().values(), "min_age": None, "max_age": None}


def _newest(column: str) -> Key:
    """Order by a column of days, descending, null last."""

    def of_row(row: Mapping[str, Any]) -> str:
        day = row[column]
        return str(719_163 - date.fromisoformat(day).toordinal()) if day else "1"

    return Key(f"if({column} IS NULL, 1, -toInt64(toUInt16({column})))", "Int64", of_row)


_BASE = Operation(
    "adoption",
    Adoption,
    [paging.greatest("ram"), paging.text("model_id")],
    ("huggingface", "tracked-models"),
    {
        "model_id": "qi/Big-300B",
        "org": "qi",
        "region": "china",
        "size_bin": "250B+",
        "total_params_b": 300.0,
        "released_at": "2026-01-15",
        "tracked": True,
        "downloads": 45000,
        "as_of": "2026-02-14T12:00:00.000Z",
        "age_days": 30.5,
        "baseline_downloads": 30000.0,
        "peers": 10,
        "ram": 1.5,
    },
)
OPERATIONS = {
    "ram": _BASE,
    "downloads": replace(_BASE, keys=[paging.greatest("downloads"), paging.text("model_id")]),
    "released": replace(_BASE, keys=[_newest("released_at"), paging.text("model_id")]),
    "model": replace(_BASE, keys=[paging.text("model_id")]),
}
"""The operation by `sort`."""


@router.get("/adoption", **_BASE.openapi())
async def adoption(request: Request, params: Annotated[AdoptionParameters, Query()]) -> Response:
    """Every model with its latest downloads and its rolling RAM, as a list to filter and sort.

    Models without RAM are listed, too. `downloads` of a model without a size bin or a release date
    are those until the end of its last whole day.
    """
    return await respond(request, OPERATIONS[params.sort], params)
