"""Downloads over time."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.answers import Operation, Row, answer
from api.parameters import Day, OfModels, Texts

router = APIRouter(tags=["downloads"])


class By(StrEnum):
    """What a series is of."""

    MODEL = "model"
    ORG = "org"
    REGION = "region"
    SIZE_BIN = "size_bin"
    FAMILY = "family"


class Interval(StrEnum):
    """What a row is of."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Series(StrEnum):
    """Whether catch-ups are spread."""

    REPAIRED = "repaired"
    RAW = "raw"


class Source(StrEnum):
    """Whose counters; never added up."""

    HUGGINGFACE = "huggingface"
    MODELSCOPE = "modelscope"


class Downloads(Row):
    """Downloads of one series in one period."""

    group: str = Field(description="Model, organisation, region, size bin or root of the family")
    period: date = Field(description="UTC day, Monday of the week, or first day of the month")
    downloads: int | None = Field(description="New downloads; null = no earlier count to compare")
    cumulative: int = Field(description="Downloads until the end of the period")
    models: int = Field(description="Models observed in the period")


class DownloadsAsked(OfModels):
    """Whose downloads, and how."""

    family: Texts = Field([], description="Models of the families that begin with these models")
    by: By = Field(By.MODEL, description="One series for each of these")
    interval: Interval = Field(Interval.DAY, description="One row for each of these")
    series: Series = Field(
        Series.REPAIRED,
        description="repaired: catch-ups after stalls and gaps spread evenly, totals exact; raw: "
        "on the day they were observed",
    )
    source: Source = Field(Source.HUGGINGFACE, description="Whose counters")
    since: Day | None = Field(None, description="Periods that begin on this day or later")
    until: Day | None = Field(None, description="Periods that begin on this day or earlier")
    untracked: bool = Field(
        False, description="Also models that are not tracked; those named by `model` always count"
    )


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
        "models": 1,
    },
)


@router.get("/downloads", **OPERATION.described())
async def downloads(request: Request, asked: Annotated[DownloadsAsked, Query()]) -> Response:
    """Downloads by day, week or month: of each model, or of an organisation, region, size, family.

    A family is the models with one root, a merge counts for each of its roots. A model that is
    observed no more keeps its last count; a period in which nothing was observed has no row.
    """
    return await answer(request, OPERATION, asked)
