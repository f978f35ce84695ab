"""Badges that a model card can embed: RAM, rank by RAM, and downloads."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api import etags
from api.as_of import AsOf, bind, read_small, resolve_as_of
from api.badge_image import BLUE, GREEN, GREY, badge
from api.database import Database, parse_lines
from api.known_names import KnownNames, names_of
from api.operation import NOT_MODIFIED, Operation
from api.operations.downloads import OPERATION as DOWNLOADS
from api.operations.downloads import DownloadsParameters
from api.operations.ram import RAM, RamParameters
from api.parameters import BaselineName, OperationParameters, PathPart, Timestamp
from api.problems import PROBLEMS
from api.queries import Statement, query
from api.response_cache import mark_cacheable
from api.table_states import ReadFrom

router = APIRouter(tags=["badges"])
SECONDS = 3600
TOP = 10
"""The baseline's peers: 1.0x is the median of the top 10."""
_ABOVE = """
SELECT
    countIf((-ram, model_id) < (-{own:Float64}, {own_id:String})) AS above,
    count(ram) AS ranked
FROM
(
%s
)"""
"""How many models are above one, in the order of `/v1/ram`, and how many are ranked."""
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The badge",
        "content": {"image/svg+xml": {"schema": {"type": "string"}}},
    },
    304: NOT_MODIFIED,
    **PROBLEMS,
}


class BadgeParameters(BaseModel):
    """Parameters of a badge."""

    model_config = ConfigDict(extra="forbid")

    as_of: Timestamp | None = Field(
        None, description="As of this timestamp, or the end of this UTC day; default: the latest"
    )


class RamBadgeParameters(BadgeParameters):
    """Parameters of a badge that rests on RAM."""

    baseline: BaselineName = Field("live")


@dataclass(frozen=True)
class Reading:
    """Rows of an operation and their timestamp."""

    as_of: AsOf
    timestamp: str | None
    rows: list[dict[str, Any]]
    read_from: ReadFrom


@router.get("/badge/ram/{org}/{name}.svg", response_class=Response, responses=RESPONSES)
async def ram_badge(
    request: Request,
    org: PathPart,
    name: PathPart,
    params: Annotated[RamBadgeParameters, Query()],
) -> Response:
    """Rolling RAM of a model, as an SVG image."""
    model_id = f"{org}/{name}"
    found = await _read_ram(request, model_id, params)
    ram = found.rows[0]["ram"] if found.rows else None
    if ram is None:
        return _respond(request, "RAM", None, GREY, model_id, found)
    text = f"{ram:.2f}x of {found.rows[0]['size_bin']}"
    return _respond(request, "RAM", text, GREEN if ram >= 1 else BLUE, model_id, found)


@router.get("/badge/rank/{org}/{name}.svg", response_class=Response, responses=RESPONSES)
async def rank_badge(
    request: Request,
    org: PathPart,
    name: PathPart,
    params: Annotated[RamBadgeParameters, Query()],
) -> Response:
    """Rank of a model by RAM among the models of its size bin, as an SVG image."""
    model_id = f"{org}/{name}"
    found = await _read_ram(request, model_id, params)
    ram = found.rows[0]["ram"] if found.rows else None
    if ram is None:
        return _respond(request, "RAM rank", None, GREY, model_id, found)
    size_bin = found.rows[0]["size_bin"]
    # Of the same timestamp, although newer observations may have arrived.
    as_of = replace(found.as_of, timestamp=found.timestamp, requested=found.timestamp)
    others = RamParameters(size_bin=[size_bin], baseline=params.baseline)
    (counts,) = (
        await _read(
            request, RAM, others, as_of, wrap=lambda sql: _ABOVE % sql, own=ram, own_id=model_id
        )
    ).rows
    rank = counts["above"] + 1
    text = f"{rank} of {counts['ranked']} in {size_bin}"
    color = GREEN if rank <= TOP else BLUE
    return _respond(request, "RAM rank", text, color, model_id, found)


@router.get("/badge/downloads/{org}/{name}.svg", response_class=Response, responses=RESPONSES)
async def downloads_badge(
    request: Request, org: PathPart, name: PathPart, params: Annotated[BadgeParameters, Query()]
) -> Response:
    """Downloads of a model since its release, as an SVG image."""
    model_id = f"{org}/{name}"
    by_month = DownloadsParameters(model=[model_id], interval="month", as_of=params.as_of)
    found = await _read_model(request, DOWNLOADS, by_month)
    if not found.rows:
        return _respond(request, "downloads", None, GREY, model_id, found)
    total = max(found.rows, key=lambda row: row["period"])["cumulative"]
    return _respond(
        request,
        "downloads",
        compact(total),
        BLUE,
        model_id,
        found,
        f"{total:,} downloads",
    )


def compact(count: int) -> str:
    """Return a count with three significant digits: 999, 20.4K, 1.23M."""
    for factor, unit in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if count >= 0.9995 * factor:
            return f"{float(f'{count / factor:.3g}'):g}{unit}"
    return str(count)


async def _read_ram(request: Request, model_id: str, params: RamBadgeParameters) -> Reading:
    ram_params = RamParameters(model=[model_id], baseline=params.baseline, as_of=params.as_of)
    return await _read_model(request, RAM, ram_params)


async def _read_model(
    request: Request, operation: Operation, params: OperationParameters
) -> Reading:
    """Return an operation's rows of one model. Raises a problem if the model is unknown."""
    database: Database = request.app.state.database
    as_of = await resolve_as_of(database, operation, params, params.as_of)
    found = await _read(request, operation, params, as_of)
    known_names: KnownNames = request.app.state.known_names
    await known_names.require(names_of(params), all_matched=bool(found.rows))
    return found


async def _read(
    request: Request,
    operation: Operation,
    params: OperationParameters,
    as_of: AsOf,
    *,
    wrap: Callable[[str], str] = lambda sql: sql,
    **values: float | str,
) -> Reading:
    """Return the rows of an operation's query, or of one that `wrap` builds around it."""

    def build(now: bool) -> Statement:
        sql = query(operation.query, now=now, variant=params.variant())
        return wrap(sql), {**bind(sql, params.values(), as_of.timestamp), **values}

    small = await read_small(request.app.state.database, operation, params, build, as_of)
    return Reading(as_of, small.timestamp, parse_lines(small.lines), small.read_from)


def _respond(
    request: Request,
    label: str,
    text: str | None,
    color: str,
    model_id: str,
    found: Reading,
    exact: str | None = None,
) -> Response:
    """Return a badge as a response; `exact` replaces label and text in its title."""
    text = "not available" if text is None else text
    date = f"as of {found.timestamp}" if found.timestamp else "no data yet"
    image = badge(label, text, color, f"{model_id}: {exact or f'{label} {text}'}, {date}")
    etag = f'"{sha256(image).hexdigest()[:24]}"'
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={SECONDS}"}
    if etags.matches(etag, request.headers.get("if-none-match")):
        return Response(status_code=304, headers=headers)
    mark_cacheable(request, found.read_from)
    return Response(image, headers=headers, media_type="image/svg+xml")
