"""Runs a query: reads its statement from the request, executes it, and sends the response."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

from aiohttp import web

from breakout.local.clickhouse.blocks import BlockDecoder
from breakout.local.clickhouse.compression import decoded, request_decoder
from breakout.local.clickhouse.connection import Progress
from breakout.local.clickhouse.errors import SYNTAX_ERROR, ClickHouseError, clickhouse_error
from breakout.local.clickhouse.execution import Execution, SendRest
from breakout.local.clickhouse.handshake import handshake_response
from breakout.local.clickhouse.query import Query
from breakout.local.clickhouse.receive import receive_chunks
from breakout.local.clickhouse.request import QueryRequest
from breakout.local.clickhouse.request_scope import RequestScope
from breakout.local.clickhouse.statement_reader import StatementReader


async def run_query(query: Query, http: web.Request) -> SendRest:
    """Run a query, and send the response without its rest.

    Raises ClickHouseError for a failure before the first byte of the response.
    """
    request, session = query.request, query.session
    body = _body(request, http)
    connection = None if session is None else session.connection
    statement, head = await StatementReader(request, connection, query.run_short).read(body)
    if not statement.strip():
        raise clickhouse_error(SYNTAX_ERROR, "Syntax error: Empty query")
    handshake = handshake_response(request, statement, query.engine.version, query.engine.timezone)
    if handshake is not None:
        query.response.set_format(request.default_format)
        return partial(query.response.send, handshake, Progress(result_rows=1))
    scope = RequestScope(await query.run_short(query.connect), request, query.user, session)
    execution = Execution(query, scope)
    try:
        if head is not None:
            return await execution.insert(head, statement[head.data_start :], body)
        return await execution.statement(statement)
    except ClickHouseError as error:
        raise execution.without_mark(error) from None
    finally:
        if session is None:
            scope.connection.close()
        elif scope.is_changed:
            await query.run_short(scope.undo)


async def _body(request: QueryRequest, http: web.Request) -> AsyncIterator[bytes]:
    if request.external_tables is not None:
        return  # the form has been read already
    chunks = receive_chunks(aiter(http.content.iter_any()))
    new_decoder = request_decoder(http.headers.get("Content-Encoding", ""))
    if new_decoder is not None:
        chunks = decoded(chunks, new_decoder)
    if request.decompress_blocks:
        chunks = decoded(chunks, BlockDecoder)
    async for chunk in chunks:
        yield chunk
