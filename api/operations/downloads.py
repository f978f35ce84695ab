"""Downloads over time."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.operation import Operation, Row
from api.parameters import Day, ModelFilters, Texts
from api.responses import respond

router = APIRouter(tags=["downloads"])


class Downloads(Row):
    """Downloads of one series in one period."""

    group: str = Field(description="Model, organisation, region, size bin, or root of the family")
    period: date = Field(description="UTC day, Monday of the week, or first day of the month")
    downloads: int | None = Field(description="New downloads; null = no earlier observation")
    cumulative: int = Field(description="Downloads until the end of the period")
    correction: int = Field(
        description="Downloads that corrections took away: falls of counters that stayed"
    )
    models: int = Field(description="Models with downloads in the period")
    covered: float = Field(
        description="How much of the period is there yet: the share of the last full week's "
        "downloads of models that reach its end. From 0.95 on it counts as finished"
    )
    basis: Literal["observed", "held", "gap"] | None = Field(
        description="What a model's day rests on; null for other series, intervals and groups"
    )


class DownloadsParameters(ModelFilters):
    """Filters and grouping of downloads."""

    family: Texts = Field([], description="Families, by their root models")
    by: Literal["model", "org", "region", "size_bin", "family"] = Field(
        "model", description="One series for each"
    )
    interval: Literal["day", "week", "month"] = Field("day", description="One row for each")
    series: Literal["repaired", "raw"] = Field(
        "repaired",
        description="repaired: the daily grid, with downloads spread between the moments at which "
        "the counter is known; raw: the counter's last value of each day as it was observed",
    )
    source: Literal["huggingface", "modelscope"] = Field(
        "huggingface", description="Source of the counters, which are never added up"
    )
    since: Day | None = Field(None, description="Periods that begin on this day or later")
    until: Day | None = Field(None, description="Periods that begin on this day or earlier")
    untracked: bool = Field(
        False,
        description="Include models that are not tracked; those in `model` always are included",
    )

    def variant(self) -> str:
        """Return the variant of the query, besides the latest and the earlier."""
        return self.series


OPERATION = Operation(
    "downloads",
    Downloads,
    [paging.text("group"), paging.text("period")],
    ("huggingface", "modelscope", "tracked-models"),
    {
        "group": "qi/Big-300B",
        "period": "2026-03-31",
        "downloads": 312,
        "cumulative": 20417,
        "correction": 0,
        "models": 1,
        "covered": 1.0,
        "basis": "observed",
    },
)


@router.get("/downloads", **OPERATION.openapi())
async def downloads(request: Request, params: Annotated[DownloadsParameters, Query()]) -> Response:
    """Downloads by day, week or month, of models, organisations, regions, size bins or families.

    A family is all models with the same root; a merge counts for each of its roots. A model that is
    no longer observed keeps its last count. A period without observations has no row. The latest
    periods of a group may lack models whose counters are not renewed yet: see `covered`.
    """
    return await respond(request, OPERATION, params)
