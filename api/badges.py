"""Badges that a model card can embed."""

import re
from hashlib import sha256
from typing import Annotated
from xml.sax.saxutils import escape

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api import etags
from api.as_of import bind, read_small, resolve_as_of
from api.database import Database, parse_lines
from api.operation import NOT_MODIFIED
from api.operations.models import OPERATION as MODELS
from api.operations.models import ModelsParameters
from api.operations.ram import RAM, RamParameters
from api.parameters import BaselineName, PathPart, Timestamp
from api.problems import PROBLEMS, ProblemError
from api.queries import Statement, query
from api.response_cache import mark_cacheable

router = APIRouter(tags=["badges"])
SECONDS = 3600
_GREEN, _BLUE, _GREY = "#2e7d32", "#1565c0", "#616161"
_CHARACTER = 6.6
"""Width of an average character, in pixels."""
_INVISIBLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\ufeff\ufff9-\ufffb\ufffe\uffff]"
)
"""Characters that XML forbids, or that hide or reverse the text around them."""


class BadgeParameters(BaseModel):
    """Parameters of a badge."""

    model_config = ConfigDict(extra="forbid")

    baseline: BaselineName = Field("live")
    as_of: Timestamp | None = Field(
        None, description="As of this timestamp, or the end of this UTC day; default: the latest"
    )


@router.get(
    "/badge/ram/{org}/{name}.svg",
    response_class=Response,
    responses={
        200: {
            "description": "The badge",
            "content": {"image/svg+xml": {"schema": {"type": "string"}}},
        },
        304: NOT_MODIFIED,
        **PROBLEMS,
    },
)
async def ram_badge(
    request: Request, org: PathPart, name: PathPart, params: Annotated[BadgeParameters, Query()]
) -> Response:
    """Rolling RAM of a model, as an SVG image."""
    database: Database = request.app.state.database
    model_id = f"{org}/{name}"
    ram_params = RamParameters(model=[model_id], baseline=params.baseline, as_of=params.as_of)
    as_of = await resolve_as_of(database, RAM, ram_params, params.as_of)

    def build(now: bool) -> Statement:
        sql = query(RAM.query, now=now)
        return sql, bind(sql, ram_params.values(), as_of.timestamp)

    small = await read_small(database, RAM, build, as_of)
    timestamp, rows = small.timestamp, parse_lines(small.lines)
    if not rows:
        sql = query(MODELS.query)
        values = bind(sql, ModelsParameters(model=[model_id]).values(), timestamp)
        if not await database.rows(sql, values):
            raise ProblemError(404, f"{model_id} not found")
    ram = rows[0]["ram"] if rows else None
    text = "not available" if ram is None else f"{ram:.2f}x of {rows[0]['size_bin']}"
    color = _GREY if ram is None else _GREEN if ram >= 1 else _BLUE
    date = f"as of {timestamp}" if timestamp else "no data yet"
    image = badge("RAM", text, color, f"{model_id}: {text}, {date}")
    etag = f'"{sha256(image).hexdigest()[:24]}"'
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={SECONDS}"}
    if etags.matches(etag, request.headers.get("if-none-match")):
        return Response(status_code=304, headers=headers)
    mark_cacheable(request, small.read_from)
    return Response(image, headers=headers, media_type="image/svg+xml")


def badge(label: str, text: str, color: str, title: str) -> bytes:
    """Return an SVG image of a label and a text, both escaped."""
    label, text, title = (_INVISIBLE.sub(_escape_code, part) for part in (label, text, title))
    left, right = (round(len(part) * _CHARACTER + 12) for part in (label, text))
    label, text, title = escape(label), escape(text), escape(title)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" role="img"
 width="{left + right}" height="20">
<title>{title}</title>
<clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#424242"/>
<rect x="{left}" width="{right}" height="20" fill="{color}"/></g>
<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="{left / 2}" y="14">{label}</text><text x="{left + right / 2}" y="14">{text}</text></g>
</svg>
""".encode()


def _escape_code(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
