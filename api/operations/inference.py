"""Inference tokens: of open models, and their share."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.operation import Operation, Row
from api.parameters import Day, OperationParameters, Texts
from api.responses import respond

router = APIRouter(tags=["inference"])
_SOURCES = ("openrouter",)


class Share(Row):
    """Tokens of a period: of open, closed, unclassified and unnamed models."""

    source: str
    period: date = Field(description="UTC day, or first day of the month")
    days: int = Field(description="Days of the period with data")
    whole: bool = Field(description="Whether all days of the period have data")
    as_of: datetime = Field(description="When the source last counted any of these days, UTC")
    open_tokens: int
    closed_tokens: int
    unknown_tokens: int = Field(description="Tokens of models that are not classified yet")
    other_tokens: int = Field(description="Tokens for which the source names no model")
    open_share: float | None = Field(description="open / (open + closed)")
    unknown_ratio: float | None = Field(description="unknown / (open + closed)")
    error_bound: float | None = Field(
        description="Maximum error of open_share; relevant if unknown_ratio is above 0.01"
    )
    lowest: float | None = Field(
        description="open_share if all unknown and unnamed tokens were closed"
    )
    highest: float | None = Field(
        description="open_share if all unknown and unnamed tokens were open"
    )


class Tokens(Row):
    """Tokens of an open model, organisation or region in a period."""

    source: str
    period: date = Field(description="UTC day, or first day of the month")
    group: str = Field(
        description="Model id, or the source's name if it has none; organisation; region"
    )
    org: str | None
    region: str | None
    tokens: int
    share_of_open: float | None = Field(description="Share of the tokens of all open models")
    rank: int = Field(description="Rank by tokens in the period")
    whole: bool = Field(description="Whether all days of the period have data")
    as_of: datetime = Field(description="When the source last counted any of these days, UTC")


class ShareParameters(OperationParameters):
    """Period of the tokens."""

    interval: Literal["day", "month"] = Field("month", description="One row for each")
    since: Day | None = Field(None, description="First day")
    until: Day | None = Field(None, description="Last day")


class TokensParameters(ShareParameters):
    """Grouping of the tokens."""

    by: Literal["model", "org", "region"] = Field("model", description="One series for each")
    model: Texts = Field(
        [], description="Series of these model ids; shares and ranks remain those among all"
    )
    top: int = Field(0, ge=0, le=1000, description="Largest of each period; 0 = all")


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
    (*_SOURCES, "tracked-models"),
    {
        "source": "openrouter",
        "period": "2026-03-01",
        "group": "qi/Big-300B",
        "org": "qi",
        "region": "china",
        "tokens": 9_007_199_254_740_993,
        "share_of_open": 0.41,
        "rank": 1,
        "whole": True,
        "as_of": "2026-04-01T12:00:00.000Z",
    },
)


@router.get("/inference/share", **SHARE.openapi())
async def inference_share(
    request: Request, params: Annotated[ShareParameters, Query()]
) -> Response:
    """Share of open models in all classified tokens, by day or month."""
    return await respond(request, SHARE, params)


@router.get("/inference/tokens", **TOKENS.openapi())
async def inference_tokens(
    request: Request, params: Annotated[TokensParameters, Query()]
) -> Response:
    """Tokens of open models by day or month, of each model, organisation or region."""
    return await respond(request, TOKENS, params)
