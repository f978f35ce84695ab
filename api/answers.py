"""One way from an operation and its parameters to an answer: paged, streamed, citable."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import Receive, Scope, Send

from api import formats, paging
from api.database import Database, Parameters, parsed
from api.formats import Format
from api.paging import Key
from api.parameters import PAGE_ROWS, Asked, iso
from api.problems import PROBLEMS, ProblemError
from api.queries import parameters, query

R = TypeVar("R", bound=BaseModel)
SMALL_ROWS = 10_000
"""Up to so many rows an answer is held in memory: some megabytes."""
HELD_BYTES = 256 * 1024
"""Up to so many bytes an answer is held in memory until it is read."""
PATH_CHARACTERS = "/:@!$&'()*+,;=-._~"
TRIES = 3
"""How often what is kept is read again because something newer came meanwhile."""


class Row(BaseModel):
    """A row of an answer."""

    model_config = ConfigDict(extra="forbid")


class Page(BaseModel, Generic[R]):
    """An answer in JSON."""

    as_of: datetime | None = Field(description="Moment of the numbers, UTC; null = no data yet")
    self: str = Field(description="Address of this answer with its moment: cite it")
    sources: list[str] = Field(description="Where the numbers come from, see /v1/sources")
    data: list[R]
    next: str | None = Field(description="`cursor` of the next page; null = this is the last")


@dataclass(frozen=True)
class Operation:
    """What can be asked, and the query that answers it."""

    query: str
    """Name of the file in `sql/api/`."""
    row: type[Row]
    keys: Sequence[Key]
    sources: tuple[str, ...]
    example: dict[str, Any]
    """A row."""

    def texts(self) -> list[str]:
        """Return the columns that are texts, which may begin with anything."""
        columns = self.row.model_fields.items()
        return [name for name, field in columns if field.annotation in (str, str | None)]

    def described(self) -> dict[str, Any]:
        """Return what OpenAPI says of the answers."""
        example = {
            "as_of": "2026-04-01T12:00:00.000Z",
            "self": "/v1/...?as_of=2026-04-01T12%3A00%3A00.000Z",
            "sources": list(self.sources),
            "data": [self.example],
            "next": None,
        }
        table = {"schema": {"type": "string", "format": "binary"}}
        others = [media for name, media in formats.MEDIA_TYPES.items() if name != Format.JSON]
        content: dict[str, Any] = {media.partition(";")[0]: table for media in others}
        content["application/json"] = {"example": example}
        page = Page[self.row]  # type: ignore[name-defined] # a model made for this row
        responses: dict[int, Any] = {
            200: {"model": page, "description": "The rows", "content": content},
            304: {"description": "As `If-None-Match` says it is known already"},
        }
        return {"response_model": None, "responses": {**responses, **PROBLEMS}}


class Streamed(StreamingResponse):
    """A body whose file is given back with the response, however that ends."""

    def __init__(self, stack: AsyncExitStack, body: AsyncIterator[bytes], **rest: Any) -> None:
        super().__init__(body, **rest)
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        async with self._stack:
            await super().__call__(scope, receive, send)


async def answer(
    request: Request,
    operation: Operation,
    asked: Asked,
    *,
    wanted: str = "",
    fixed: Mapping[str, int | list[int]] | None = None,
) -> Response:
    """Answer an operation. `fixed` are parameters that the address decides.

    With `wanted`, an answer without rows is a 404 problem that names it.
    """
    database: Database = request.app.state.database
    chosen = formats.negotiated(asked.format, request.headers.get("accept"))
    if asked.csv_safe and chosen is not Format.CSV:
        said = "is of CSV alone: say format=csv, or leave it out"
        raise ProblemError(422, f"csv_safe: {said}", errors={"csv_safe": said})
    moment = asked.as_of
    behind: dict[str, str] = {}
    if asked.cursor is not None:
        moment, behind = paging.read_cursor(asked.cursor, operation.keys)
    as_of, latest = await moment_of(database, operation, asked, moment)
    limit = asked.limit or (PAGE_ROWS if chosen is Format.JSON else None)
    small = limit is not None and limit <= SMALL_ROWS and chosen is Format.JSON

    def question(now: bool) -> tuple[str, dict[str, Any]]:
        sql = query(operation.query, now=now)
        values = {**bound(sql, {**asked.values(), **(fixed or {})}, as_of), **behind}
        if limit is not None:
            # One more row tells whether there is another page.
            values["page_rows"] = limit + (chosen is Format.JSON)
        limited = limit is not None
        sql = paging.page(sql, operation.keys, after=bool(behind), limited=limited)
        return paging.escaped(sql, operation.texts()) if asked.csv_safe else sql, values

    sql, values = question(False)
    if small:
        as_of, held = await small_answer(database, operation, question, moment, as_of, latest)
        there, digest = bool(held), sha256(held).hexdigest()[:24]
    else:
        # A large answer is hashed by ClickHouse, and before it is asked for: no request holds a
        # query while it waits for another, or requests would wait for each other.
        held = None
        there, digest = await _digest(database, sql, values)
    if wanted and not there:
        raise ProblemError(404, f"There is no {wanted}")
    etag, cited = _tag(digest, chosen, asked.csv_safe), _cited(request, as_of)
    headers = {
        "ETag": etag,
        "Cache-Control": "no-cache",
        "Vary": "Accept",
        "Content-Location": cited,
        "Breakout-As-Of": as_of or "",
    }
    if known(etag, request.headers.get("if-none-match")):
        return Response(status_code=304, headers=headers)
    async with AsyncExitStack() as stack:
        # What fails is a problem, and no broken answer.
        body, size = await _rows(stack, database, held, sql, values, formats.CLICKHOUSE[chosen])
        if chosen is Format.JSON:
            head = {"as_of": as_of, "self": cited, "sources": operation.sources}
            body = _page(body, head, operation.keys, limit or PAGE_ROWS)
        else:
            headers["Content-Length"] = str(size)
            headers["Content-Disposition"] = f'attachment; filename="{operation.query}.{chosen}"'
        return Streamed(
            stack.pop_all(), body, headers=headers, media_type=formats.MEDIA_TYPES[chosen]
        )


async def _rows(
    stack: AsyncExitStack,
    database: Database,
    held: bytes | None,
    sql: str,
    values: Parameters,
    output_format: str,
) -> tuple[AsyncIterator[bytes], int]:
    """Return rows as ClickHouse wrote them, and their bytes: those held already, or asked for.

    Many of them are in a file that is the stack's.
    """
    if held is None:
        kept = database.spooled(sql, values, output_format)
    elif len(held) > HELD_BYTES:
        kept = database.held(held)
    else:
        return _whole(held), len(held)
    file = await stack.enter_async_context(kept)
    return file.pieces(), file.size


async def small_answer(
    database: Database,
    operation: Operation,
    question: Callable[[bool], tuple[str, Parameters]],
    moment: str | None,
    as_of: str | None,
    latest: bool,
) -> tuple[str | None, bytes]:
    """Return the moment of a small answer and its lines, from what is kept where it is as of now.

    `question` returns the SQL and its values, as of now or of the past.
    """
    past, now = question(False), question(True)
    kept = latest and now[0] != past[0]
    found = await _kept(database, operation, now, moment) if kept else None
    return found or (as_of, await database.lines(*past))


async def _kept(
    database: Database, operation: Operation, now: tuple[str, Parameters], moment: str | None
) -> tuple[str | None, bytes] | None:
    """Return a small answer as of now from what is kept, and its moment.

    None when newer observations came each time while it was read, or came after the `moment` that
    was asked for: the answer would have something of both.
    """

    async def ask() -> bytes:
        for _ in range(TRIES):
            before, held, after = await database.between(*now, _latest(operation))
            ((as_of,),) = (row.values() for row in parsed(after))
            if moment is not None and as_of is not None and moment < as_of:
                break
            if before == after:
                return (as_of or "").encode() + b"\n" + held
        return b""

    as_of, _, held = (found := await database.shared((*now, moment), ask)).partition(b"\n")
    return (as_of.decode() or None, held) if found else None


def _latest(operation: Operation) -> tuple[str, Parameters]:
    return query("moment"), {"sources": list(operation.sources)}


async def moment_of(
    database: Database, operation: Operation, asked: Asked, moment: str | None
) -> tuple[str | None, bool]:
    """Return the moment of an answer: the one asked for, or the latest where that is earlier.

    None without data. With it, whether it is the latest. Raises a 422 problem for what is known as
    of the latest alone.
    """
    key = _latest(operation)
    (row,) = parsed(await database.shared(key, lambda: database.lines_after(*key)))
    latest: str | None = row["as_of"]
    # Written alike, so that texts compare as moments do.
    as_of = min(moment, latest) if moment and latest else latest
    if as_of != latest and (wrong := asked.known_now_alone()):
        raise ProblemError(422, f"as_of: {wrong}", errors={"as_of": wrong})
    return as_of, as_of == latest


def bound(sql: str, asked: Mapping[str, Any], as_of: str | None) -> dict[str, Any]:
    """Return the values of the parameters that a query has."""
    moment = (as_of or iso(datetime.now(UTC)))[:-1].replace("T", " ")
    used = parameters(sql)
    return {name: value for name, value in {**asked, "as_of": moment}.items() if name in used}


def _cited(request: Request, as_of: str | None) -> str:
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "as_of"]
    if as_of:
        asked.append(("as_of", as_of))
    # Not of `request.url`, which the Host header is a part of.
    path = quote(request.scope["path"], safe=PATH_CHARACTERS)
    return f"{path}?{urlencode(asked)}" if asked else path


def _tag(digest: str, chosen: Format, safe: bool) -> str:
    return f'W/"{digest}-{chosen}{"-safe" if safe else ""}"'


async def _digest(database: Database, sql: str, values: Parameters) -> tuple[bool, str]:
    (row,) = await database.rows(paging.digest(sql), values)
    return row["rows"] > 0, f"{row['rows']:x}.{row['digest']:x}"


def known(etag: str, header: str | None) -> bool:
    """Return whether an If-None-Match header has a tag, compared weakly."""
    tags = [tag.strip() for tag in (header or "").split(",")]
    return "*" in tags or any(tag.removeprefix("W/") == etag.removeprefix("W/") for tag in tags)


async def _whole(held: bytes) -> AsyncIterator[bytes]:
    yield held


async def _page(
    body: AsyncIterator[bytes], head: dict[str, Any], keys: Sequence[Key], limit: int
) -> AsyncIterator[bytes]:
    """Make a JSON document of lines of JSON, holding back no more than one line."""
    yield json.dumps(head, separators=(",", ":")).encode()[:-1] + b',"data":['
    rows, last, more = 0, b"", False
    async for found in _whole_lines(body):
        lines = found[: limit - rows]
        more = len(found) > len(lines)
        if lines:
            yield (b"," if rows else b"") + b"\n" + b",\n".join(lines)
            rows, last = rows + len(lines), lines[-1]
    after = paging.cursor_of(json.loads(last), keys, head["as_of"]) if more else None
    yield b'\n],"next":' + json.dumps(after).encode() + b"}\n"


async def _whole_lines(body: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    rest = b""
    async for piece in body:
        *lines, rest = (rest + piece).split(b"\n")
        if lines:
            yield lines
