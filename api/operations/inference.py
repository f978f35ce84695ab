"""Inference tokens: the share of open models, and who has them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.answers import Operation, Row, answer
from api.parameters import Asked, Day

router = APIRouter(tags=["inference"])
_SOURCES = ("openrouter",)


class Interval(StrEnum):
    """What a row is of."""

    DAY = "day"
    MONTH = "month"


class By(StrEnum):
    """Whose tokens."""

    MODEL = "model"
    ORG = "org"
    REGION = "region"


class Share(Row):
    """Tokens of a period: open, closed, unknown and unnamed."""

    source: str
    period: date = Field(description="UTC day, or first day of the month")
    days: int = Field(description="Days of it that were counted")
    whole: bool = Field(description="Whether all its days were")
    as_of: datetime = Field(description="When the source had counted any of these days last, UTC")
    open_tokens: int
    closed_tokens: int
    unknown_tokens: int = Field(description="Tokens of names nobody has classified")
    other_tokens: int = Field(description="Tokens the source does not name")
    open_share: float | None = Field(description="open / (open + closed)")
    unknown_ratio: float | None = Field(description="unknown / (open + closed)")
    error_bound: float | None = Field(
        description="How far open_share can be off; read it when unknown_ratio passes 0.01"
    )
    lowest: float | None = Field(description="As if all that is unknown or unnamed were closed")
    highest: float | None = Field(description="As if all that were open")


class Tokens(Row):
    """Tokens of an open model, organisation or region in a period."""

    source: str
    period: date = Field(description="UTC day, or first day of the month")
    group: str = Field(description="Model, or its name where the weights have no id; org; region")
    org: str | None
    region: str | None
    tokens: int
    share_of_open: float | None = Field(description="Of the tokens of all open models")
    rank: int = Field(description="Rank by tokens in the period")
    as_of: datetime = Field(description="When the source had counted any of these days last, UTC")


class ShareAsked(Asked):
    """Of which time."""

    interval: Interval = Field(Interval.MONTH, description="One row for each of these")
    since: Day | None = Field(None, description="Days from this one on are counted")
    until: Day | None = Field(None, description="Days up to this one are counted")


class TokensAsked(ShareAsked):
    """Whose tokens."""

    by: By = Field(By.MODEL, description="One series for each of these")
    top: int = Field(0, ge=0, le=1000, description="The greatest of each period; 0 takes all")


SHARE = Operation(
    "inference_share",
    Share,
    [paging.text("source"), paging.text("period")],
    _SOURCES,
    {
        "source": "openrouter",
        "period": "2026-03-01",
        "days": 31,
        "whole": True,
        "as_of": "2026-04-01T12:00:00.000Z",
        "open_tokens": 30,
        "closed_tokens": 70,
        "unknown_tokens": 1,
        "other_tokens": 9,
        "open_share": 0.3,
        "unknown_ratio": 0.01,
        "error_bound": 0.00693,
        "lowest": 0.273,
        "highest": 0.364,
    },
)
TOKENS = Operation(
    "inference_tokens",
    Tokens,
    [paging.text("source"), paging.text("period"), paging.number("rank")],
    _SOURCES,
    {
        "source": "openrouter",
        "period": "2026-03-01",
        "group": "qi/Big-300B",
        "org": "qi",
        "region": "china",
        "tokens": 9_007_199_254_740_993,
        "share_of_open": 0.41,
        "rank": 1,
        "as_of": "2026-04-01T12:00:00.000Z",
    },
)


@router.get("/inference/share", **SHARE.described())
async def inference_share(request: Request, asked: Annotated[ShareAsked, Query()]) -> Response:
    """Share of open models in all classified tokens, by day or month, as counted at a moment."""
    return await answer(request, SHARE, asked)


@router.get("/inference/tokens", **TOKENS.described())
async def inference_tokens(request: Request, asked: Annotated[TokensAsked, Query()]) -> Response:
    """Tokens of open models by day or month: of each model, organisation or region."""
    return await answer(request, TOKENS, asked)
