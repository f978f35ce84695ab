"""Downloads over time."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BeforeValidator, Field

from api import paging
from api.operation import Operation, Row
from api.parameters import Counters, Day, ModelFilters, Texts
from api.responses import respond

router = APIRouter(tags=["downloads"])
_FACTS = "tracked-models"
"""Where organisations, regions and what is tracked are from."""


class Downloads(Row):
    """Downloads of one series in one period."""

    group: str = Field(
        description='Model, organisation, region, size bin, or root of the family; two as "a / b"'
    )
    model_id: str | None = Field(description="null unless by=model")
    org: str | None = Field(description="null unless by=org")
    region: str | None = Field(description="null unless by=region; unreviewed = not known")
    size_bin: str | None = Field(description="null unless by=size_bin; unknown = no size bin")
    family: str | None = Field(description="Root of the family; null unless by=family")
    period: date = Field(description="UTC day, Monday of the week, or first day of the month")
    downloads: int | None = Field(description="New downloads; null = no earlier observation")
    cumulative: int = Field(description="Downloads until the end of the period")
    correction: int = Field(
        description="Downloads that corrections took away: falls of counters that stayed"
    )
    models: int = Field(description="Models with downloads in the period")
    covered: float = Field(
        description="How much of the period is there yet: the share of the last full week's "
        "downloads of models that reach its end"
    )
    whole: bool = Field(
        description="Whether the period is over, covered is 0.95 or more, and it begins after the "
        "day of the source's first scrape"
    )
    basis: Literal["observed", "held", "gap"] | None = Field(
        description="What a model's day rests on; null for other series, intervals and groups"
    )


def _split(value: str | Sequence[str]) -> list[str]:
    """Return the dimensions of a parameter that is repeated, or has a list with commas."""
    given = [value] if isinstance(value, str) else value
    return list(dict.fromkeys(part for text in given for part in text.split(",")))


Dimensions = Annotated[
    list[Literal["model", "org", "region", "size_bin", "family"]],
    Field(min_length=1, max_length=2),
    BeforeValidator(_split),
]


class DownloadsParameters(ModelFilters):
    """Filters and grouping of downloads."""

    family: Texts = Field([], description="Families, by their root models")
    by: Dimensions = Field(
        ["model"],
        description="One series for each; two (by=org,size_bin, or by=org&by=size_bin) make one "
        "series for each pair",
    )
    interval: Literal["day", "week", "month"] = Field("day", description="One row for each")
    series: Literal["repaired", "raw"] = Field(
        "repaired",
        description="repaired: the daily grid, with downloads spread between the moments at which "
        "the counter is known; raw: the counter's last value of each day as it was observed",
    )
    source: Counters = Field(
        "huggingface", description="Source of the counters, which are never added up"
    )
    since: Day | None = Field(None, description="Periods that begin on this day or later")
    until: Day | None = Field(None, description="Periods that begin on this day or earlier")
    untracked: bool = Field(
        False,
        description="Include models that are not tracked; those in `model` always are included",
    )

    def sources(self, all_sources: tuple[str, ...]) -> tuple[str, ...]:
        """Return the source of the counters, and where the facts of models are from."""
        del all_sources
        return (self.source, _FACTS)

    def variant(self) -> str:
        """Return the variants of the query, besides the latest and the earlier."""
        lineage = "lineage" if self.family or "family" in self.by else "alone"
        series = "models" if "model" in self.by else "totals"
        return " ".join([self.series, series, lineage, "named" if self.model else "every"])

    def is_of_one_model(self) -> bool:
        """Return whether all rows are of the one model of `model`, and have its id."""
        return len(self.model) == 1 and "model" in self.by


OPERATION = Operation(
    "downloads",
    Downloads,
    [paging.text("group"), paging.text("period")],
    ("huggingface", "modelscope", _FACTS),
    {
        "group": "qi / 250B+",
        "model_id": None,
        "org": "qi",
        "region": None,
        "size_bin": "250B+",
        "family": None,
        "period": "2026-03-01",
        "downloads": 9312,
        "cumulative": 20417,
        "correction": 0,
        "models": 2,
        "covered": 1.0,
        "whole": True,
        "basis": None,
    },
    has_history=True,
)


@router.get("/downloads", **OPERATION.openapi())
async def downloads(request: Request, params: Annotated[DownloadsParameters, Query()]) -> Response:
    """Downloads by day, week or month, of models, organisations, regions, size bins or families.

    Group by two of them for a series of each pair. A family is all models with the same root; a
    merge counts for each of its roots. A model that is no longer observed keeps its last count. A
    period without observations has no row. The latest periods of a group may lack models whose
    counters are not renewed yet: see `covered` and `whole`.
    """
    return await respond(request, OPERATION, params)
