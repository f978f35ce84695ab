"""Badges that a model card can embed."""

import re
from hashlib import sha256
from typing import Annotated
from xml.sax.saxutils import escape

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.answers import bound, known, moment_of, small_answer
from api.database import Parameters, parsed
from api.operations.models import OPERATION as MODELS
from api.operations.models import ModelsAsked
from api.operations.ram import NOW, RamAsked
from api.parameters import Moment, PathPart, Text
from api.problems import PROBLEMS, ProblemError
from api.queries import query

router = APIRouter(tags=["badges"])
SECONDS = 3600
_GREEN, _BLUE, _GREY = "#2e7d32", "#1565c0", "#616161"
_CHARACTER = 6.6
"""Width of an average character, in pixels."""
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\ufeff\ufff9-\ufffb\ufffe\uffff]"
)
"""What XML cannot have, and what turns or hides the text around it."""


class BadgeAsked(BaseModel):
    """Which score."""

    model_config = ConfigDict(extra="forbid")

    baseline: Text = Field("live", description="live, live_fixed, live_cutoff, or a frozen one")
    as_of: Moment | None = Field(None, description="As of this moment; the latest unless said")


@router.get(
    "/badge/ram/{org}/{name}.svg",
    response_class=Response,
    responses={
        200: {
            "description": "The badge",
            "content": {"image/svg+xml": {"schema": {"type": "string"}}},
        },
        304: {"description": "As `If-None-Match` says it is known already"},
        **PROBLEMS,
    },
)
async def ram_badge(
    request: Request, org: PathPart, name: PathPart, asked: Annotated[BadgeAsked, Query()]
) -> Response:
    """The rolling RAM of a model, as a picture."""
    database = request.app.state.database
    model_id = f"{org}/{name}"
    scored = RamAsked(model=[model_id], baseline=asked.baseline, as_of=asked.as_of)
    known_at, latest = await moment_of(database, NOW, scored, asked.as_of)

    def question(now: bool) -> tuple[str, Parameters]:
        sql = query(NOW.query, now=now)
        return sql, bound(sql, scored.values(), known_at)

    as_of, lines = await small_answer(database, NOW, question, asked.as_of, known_at, latest)
    rows = parsed(lines)
    if not rows:
        sql = query(MODELS.query)
        this = bound(sql, ModelsAsked(model=[model_id]).values(), as_of)
        if not await database.rows(sql, this):
            raise ProblemError(404, f"There is no {model_id}")
    ram = rows[0]["ram"] if rows else None
    text = "not scored" if ram is None else f"{ram:.2f}x of {rows[0]['size_bin']}"
    color = _GREY if ram is None else _GREEN if ram >= 1 else _BLUE
    picture = badge("RAM", text, color, f"{model_id}: {text}, as of {as_of or 'never'}")
    etag = f'"{sha256(picture).hexdigest()[:24]}"'
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={SECONDS}"}
    if known(etag, request.headers.get("if-none-match")):
        return Response(status_code=304, headers=headers)
    return Response(picture, headers=headers, media_type="image/svg+xml")


def badge(label: str, text: str, color: str, title: str) -> bytes:
    """Return an SVG of two fields: a label and what is to be said."""
    label, text, title = (_UNSEEN.sub(_written, part) for part in (label, text, title))
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


def _written(unseen: re.Match[str]) -> str:
    return f"\\u{ord(unseen[0]):04x}"
