"""From an operation and its parameters to a response: paged, streamed, citable."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from hashlib import sha256
from urllib.parse import quote, urlencode

from fastapi import Request, Response

from api import etags, formats, paging
from api.as_of import AsOf, bind, read_small, resolve_as_of, spool
from api.citations import citation_headers, cite, cited_timestamp
from api.cited_sources import CitedSources
from api.database import Database
from api.file_responses import FileRequest, SpooledResponse
from api.formats import Format
from api.json_pages import json_page
from api.known_names import KnownNames, names_of
from api.operation import Operation
from api.parameters import PAGE_ROWS, OperationParameters
from api.problems import parameter_problem
from api.queries import Statement, query
from api.read_only_client import collect, single_chunk
from api.response_cache import mark_cacheable

SMALL_ROWS = 10_000
"""Up to this many rows a response is read into memory at once: a few megabytes."""
MEMORY_BYTES = 256 * 1024
"""Up to this many bytes a response stays in memory until the client has read it."""
PATH_CHARACTERS = "/:@!$&'()*+,;=-._~"


async def respond(
    request: Request,
    operation: Operation,
    params: OperationParameters,
    *,
    fixed: Mapping[str, int | list[int]] | None = None,
) -> Response:
    """Return the response of an operation. `fixed` are query parameters that the path decides.

    Raises a problem for names that do not exist: no response is empty because of a typing error.
    """
    database: Database = request.app.state.database
    known_names: KnownNames = request.app.state.known_names
    cited_sources: CitedSources = request.app.state.cited_sources
    params.check_ranges()
    # The response names, and is as of, the sources that it is made of.
    operation = replace(operation, sources=await cited_sources.names(operation, params))
    output = formats.negotiate(params.format, request.headers.get("accept"))
    if params.csv_safe and output is not Format.CSV:
        raise parameter_problem("csv_safe", "applies to CSV only: set format=csv, or omit it")
    file = None if output is Format.JSON else FileRequest(request, output)
    if file is not None and (part := await file.continued()) is not None:
        return part
    requested, after = params.as_of, dict[str, str]()
    if params.cursor is not None:
        requested, after = paging.read_cursor(params.cursor, operation.keys)
    as_of = await resolve_as_of(database, operation, params, requested)
    limit = params.limit or (PAGE_ROWS if output is Format.JSON else None)

    def build(now: bool) -> Statement:
        sql = query(operation.query, now=now, variant=params.variant())
        values = {**bind(sql, {**params.values(), **(fixed or {})}, as_of.timestamp), **after}
        if limit is not None:
            # One more row shows whether there is a next page.
            values["page_rows"] = limit + (output is Format.JSON)
        sql = paging.page(sql, operation.keys, after=bool(after), limited=limit is not None)
        return paging.escape(sql, operation.text_columns()) if params.csv_safe else sql, values

    if file is None:
        return await _json(request, operation, params, build, as_of, limit or PAGE_ROWS)
    await known_names.require(names_of(params))
    headers = _headers(request, params, as_of.timestamp)
    citation = await cite(request, operation.sources, as_of.timestamp, headers["Content-Location"])
    headers |= citation_headers(citation)
    headers["Content-Disposition"] = f'attachment; filename="{operation.query}.{output}"'
    clickhouse_format = formats.CLICKHOUSE_FORMATS[output]
    return await file.respond(
        headers, lambda: spool(database, operation, build, as_of, clickhouse_format)
    )


async def _json(
    request: Request,
    operation: Operation,
    params: OperationParameters,
    build: Callable[[bool], Statement],
    as_of: AsOf,
    limit: int,
) -> Response:
    """Return a page of JSON; see `read_small` for `build`."""
    database: Database = request.app.state.database
    statement, timestamp, lines = build(False), as_of.timestamp, None
    if limit <= SMALL_ROWS:
        small = await read_small(database, operation, params, build, as_of)
        timestamp, lines = small.timestamp, small.lines
        mark_cacheable(request, small.read_from)
        found, digest = bool(lines), sha256(lines).hexdigest()[:24]
    else:
        # ClickHouse hashes a large response, in a query of its own that ends first: a request that
        # held one slot while it waits for another could deadlock with others.
        found, digest = await _digest(database, statement)
    known_names: KnownNames = request.app.state.known_names
    await known_names.require(names_of(params), all_matched=found)
    # Weak: a page also has the timestamp of its data, and may be compressed.
    headers = {**_headers(request, params, timestamp), "ETag": f'W/"{digest}-json"'}
    if etags.matches(headers["ETag"], request.headers.get("if-none-match")):
        return Response(status_code=304, headers=headers)
    cited = headers["Content-Location"]
    citation = await cite(request, operation.sources, timestamp, cited)
    head = {
        "as_of": timestamp,
        "self": cited,
        "sources": operation.sources,
        "citation": citation.text(),
        "bibtex": citation.bibtex(),
    }
    media_type = formats.MEDIA_TYPES[Format.JSON]
    if lines is not None and len(lines) <= MEMORY_BYTES:
        page = json_page(single_chunk(lines), head, operation.keys, limit)
        return Response(await collect(page), headers=headers, media_type=media_type)
    # Rows that are not in memory yet, or too large to stay there, go through a file. A query that
    # fails here is still a problem response: no headers are sent yet.
    if lines is None:
        file = await database.spool(*statement, formats.CLICKHOUSE_FORMATS[Format.JSON])
    else:
        file = await database.spool_bytes(lines)
    async with AsyncExitStack() as stack:
        stack.enter_context(file.reading())
        page = json_page(file.read(), head, operation.keys, limit)
        return SpooledResponse(stack.pop_all(), page, headers=headers, media_type=media_type)


async def _digest(database: Database, statement: Statement) -> tuple[bool, str]:
    """Return whether there are rows, and a checksum of them."""
    sql, values = statement
    (row,) = await database.rows(paging.digest(sql), values)
    return row["rows"] > 0, f"{row['rows']:x}.{row['digest']:x}"


def _headers(
    request: Request, params: OperationParameters, timestamp: str | None
) -> dict[str, str]:
    """Return the headers of every response, a 304 too."""
    return {
        "Cache-Control": "no-cache",
        "Vary": "Accept, Accept-Encoding",
        "Content-Location": _self_path(request, cited_timestamp(params, timestamp)),
        "Breakout-As-Of": timestamp or "",
    }


def _self_path(request: Request, timestamp: str | None) -> str:
    """Return the path of the response, percent-encoded, with its `as_of`."""
    items = [(name, value) for name, value in request.query_params.multi_items() if name != "as_of"]
    if timestamp:
        items.append(("as_of", timestamp))
    # Not from `request.url`, which contains the client's Host header.
    path = quote(request.scope["path"], safe=PATH_CHARACTERS)
    return f"{path}?{urlencode(items)}" if items else path
