"""One query: reads its statement from the request, runs it, and sends the response."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from aiohttp import web

from breakout.local.clickhouse.blocks import BlockDecoder
from breakout.local.clickhouse.compression import decoded, request_decoder
from breakout.local.clickhouse.connection import Connection, Progress
from breakout.local.clickhouse.engine import Engine
from breakout.local.clickhouse.engine_threads import EngineThreads
from breakout.local.clickhouse.errors import SYNTAX_ERROR, ClickHouseError, clickhouse_error
from breakout.local.clickhouse.execution import Execution, SendRest
from breakout.local.clickhouse.handshake import handshake_response
from breakout.local.clickhouse.query_ids import QueryIds
from breakout.local.clickhouse.receive import receive_chunks
from breakout.local.clickhouse.request import QueryRequest
from breakout.local.clickhouse.request_scope import RequestScope
from breakout.local.clickhouse.response import QueryResponse
from breakout.local.clickhouse.rights import Rights
from breakout.local.clickhouse.sessions import Session
from breakout.local.clickhouse.statement_reader import StatementReader
from breakout.local.clickhouse.users import User

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Query:
    """A query about to run.

    ``mark`` identifies its statement in the engine. ``session`` is None for a connection that
    lasts for this query only. ``slots`` keeps its slot until the response is sent.
    """

    engine: Engine
    threads: EngineThreads
    ids: QueryIds
    mark: str
    user: User
    request: QueryRequest
    rights: Rights
    session: Session | None
    response: QueryResponse
    slots: AsyncExitStack

    async def run(self, http: web.Request) -> SendRest:
        """Run the query, and send the response without its rest.

        Raises ClickHouseError for a failure before the first byte of the response.
        """
        body = self._body(http)
        connection = None if self.session is None else self.session.connection
        reader = StatementReader(self.request, connection, self._run_short)
        statement, head = await reader.read(body)
        if not statement.strip():
            raise clickhouse_error(SYNTAX_ERROR, "Syntax error: Empty query")
        handshake = handshake_response(
            self.request, statement, self.engine.version, self.engine.timezone
        )
        if handshake is not None:
            self.response.set_format(self.request.default_format)
            return partial(self.response.send, handshake, Progress(result_rows=1))
        scope = RequestScope(
            await self._run_short(self._connect), self.request, self.user, self.session
        )
        execution = Execution(
            self.engine,
            self.threads,
            self.ids,
            self.mark,
            self.user,
            self.request,
            self.rights,
            self.response,
            self.slots,
            scope,
        )
        try:
            if head is not None:
                return await execution.insert(head, statement[head.data_start :], body)
            return await execution.statement(statement)
        except ClickHouseError as error:
            raise execution.without_mark(error) from None
        finally:
            if self.session is None:
                scope.connection.close()
            elif scope.is_changed:
                await self._run_short(scope.undo)

    async def _run_short(self, call: Callable[[], T]) -> T:
        return await self.threads.run_short(call, readonly=self.rights.readonly)

    def _connect(self) -> Connection:
        if self.session is None:
            return self.engine.connect(readonly=self.rights.readonly)
        if self.session.connection is None:
            self.session.connection = self.engine.connect(readonly=self.rights.readonly)
        return self.session.connection

    async def _body(self, http: web.Request) -> AsyncIterator[bytes]:
        if self.request.external_tables is not None:
            return  # the form has been read already
        chunks = receive_chunks(aiter(http.content.iter_any()))
        new_decoder = request_decoder(http.headers.get("Content-Encoding", ""))
        if new_decoder is not None:
            chunks = decoded(chunks, new_decoder)
        if self.request.decompress_blocks:
            chunks = decoded(chunks, BlockDecoder)
        async for chunk in chunks:
            yield chunk
