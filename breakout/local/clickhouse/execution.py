"""Runs the statement of a query on its connection, and sends the result."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from aiohttp import web

from breakout.local.clickhouse.checked_statements import digest_of
from breakout.local.clickhouse.connection import Progress, StatementResult
from breakout.local.clickhouse.engine_threads import (
    ABANDONED_SECONDS,
    EngineCall,
    Slots,
)
from breakout.local.clickhouse.errors import ClickHouseError
from breakout.local.clickhouse.kill_query import KillQuery, parse_kill_query
from breakout.local.clickhouse.pipes import DataPipe, ResultPipe
from breakout.local.clickhouse.query import Query
from breakout.local.clickhouse.request_scope import RequestScope
from breakout.local.clickhouse.rights import check_needs_no_data
from breakout.local.clickhouse.statements import InsertHead, Output, is_insert, parse_output

# An error before this many bytes of result gets its own HTTP status
_BUFFERED_BYTES = 1 << 20
_INSERT_CHUNK_BYTES = 1 << 20
# How often KILL QUERY ... SYNC checks whether the queries have ended
_KILL_POLL_SECONDS = 0.1

SendRest = Callable[[], Awaitable[web.StreamResponse]]
"""Sends the rest of a response: all of it, or the end of a stream. The client waits until then, so
session and query id are released before: its next request may use them."""


class Execution:
    """The statement of a query, on the connection of its scope."""

    def __init__(self, query: Query, scope: RequestScope) -> None:
        self._query = query
        self._request = query.request
        self._response = query.response
        self._scope = scope

    def without_mark(self, error: ClickHouseError) -> ClickHouseError:
        """Return the error as the engine raises it for the client's own statement."""
        return ClickHouseError(error.code, error.text.replace(f"\n{self._query.mark}", ""))

    async def insert(self, head: InsertHead, first: bytes, rest: AsyncIterator[bytes]) -> SendRest:
        """Run an INSERT while its data arrives."""
        await self._query.run_short(lambda: self._check_insert(head))
        await self._query.enter_slot(Slots.ADMIN_WRITES)
        pipe = DataPipe()
        try:
            await pipe.open()
            call = self._start(
                lambda: head.from_file(pipe.path, self._query.mark), pipe.stop_reading
            )
            try:
                async for chunk in _rechunked(first, rest):
                    if not await pipe.write(chunk):
                        break  # the statement has ended; its result is the error
                pipe.end()
                result = await call.result()
            finally:
                # Cancelled first: the end of the pipe must not pass for the end of the data
                await call.stop(cancelled=pipe.end)
        finally:
            pipe.close()
        return partial(self._response.send, b"", result.progress)

    def _check_insert(self, head: InsertHead) -> None:
        self._scope.apply()
        statement = head.statement + b" FORMAT Null"
        self._query.rights.check(self._scope.connection, statement, self._request.params)

    async def statement(self, sql: bytes) -> SendRest:
        """Run any other statement; the result of one that only reads is streamed."""
        checked = await self._query.run_short(lambda: self._check(sql))
        if isinstance(checked, KillQuery):
            return await self._kill(checked)
        statement, output, reads = checked
        result_format = output.result_format or self._request.default_format
        await self._query.enter_slot(self._kind(reads=reads))
        if reads:
            self._response.set_format(result_format)
            return await self._stream_result(self._digest(statement), output)
        call = self._start(lambda: self._marked(statement))
        try:
            result = await call.result()
        finally:
            await call.stop()
        if result.body:
            self._response.set_format(result_format)
        return partial(self._response.send, result.body, result.progress)

    def _check(self, sql: bytes) -> KillQuery | tuple[bytes, Output, bool]:
        """Return the statement to run, its output, and whether it only reads."""
        request, connection = self._request, self._scope.connection
        kill = parse_kill_query(sql, request.default_format)
        if kill is not None:
            return kill
        sql = self._query.ids.rewrite(sql, request.query_id, readonly=self._query.user.readonly)
        output = parse_output(sql)
        self._scope.apply()
        if self._digest(sql) in self._query.checked:
            return sql, output, True
        reads = self._query.rights.check(connection, sql, request.params) == "READ_ONLY"
        if is_insert(sql):
            check_needs_no_data(connection, sql, request.params)
        return sql, output, reads

    async def _kill(self, kill: KillQuery) -> SendRest:
        query, request = self._query, self._request

        def run() -> tuple[bytes, list[str]]:
            self._scope.apply()
            connection = self._scope.connection
            if not query.rights.read_only:
                return kill.run(connection, query.ids, request.query_id, request.params)
            own = kill.of_user(connection, query.user.name, request.params)
            with contextlib.closing(query.engine.connect()) as privileged:
                return own.run(privileged, query.ids, request.query_id, {})

        # Without a slot: it must not wait for the queries that it is to end
        body, killed = await query.run_short(run)
        if kill.mode == "SYNC":
            while await query.run_short(lambda: query.engine.any_running(killed)):  # noqa: ASYNC110
                await asyncio.sleep(_KILL_POLL_SECONDS)
        self._response.set_format(kill.result_format)
        return partial(self._response.send, body, Progress())

    def _digest(self, sql: bytes) -> bytes | None:
        """Return the digest of a statement of the read-only user, if it can have one."""
        return digest_of(sql, self._request) if self._query.rights.readonly else None

    async def _stream_result(self, digest: bytes | None, output: Output) -> SendRest:
        pipe, query = ResultPipe(), self._query

        def statement() -> bytes:
            sql = output.into_file(pipe.path, self._request.default_format)
            sql += f"\n{query.mark}".encode()
            if digest in query.checked:
                return sql
            parameters = self._request.params
            always = query.rights.check_rewritten(self._scope.connection, sql, parameters)
            if always and digest is not None:
                query.checked.add(digest)
            return sql

        try:
            await pipe.open()
            call = self._start(statement, pipe.end)
            try:
                return await self._stream(pipe, call)
            finally:
                # A statement that writes ends by the closed pipe; others are cancelled
                pipe.stop_reading()
                await call.stop(grace_seconds=ABANDONED_SECONDS)
        finally:
            pipe.close()

    async def _stream(self, pipe: ResultPipe, call: EngineCall[StatementResult]) -> SendRest:
        buffered: list[bytes] = []
        buffered_bytes = 0
        while chunk := await pipe.read():
            buffered.append(chunk)
            buffered_bytes += len(chunk)
            if buffered_bytes >= _BUFFERED_BYTES and not self._request.wait_end_of_query:
                break
        else:
            result = await call.result()
            # Statements that ignore INTO OUTFILE (a SELECT inside EXPLAIN) return their output
            body = b"".join(buffered) + result.body
            return partial(self._response.send, body, result.progress)
        await self._response.begin()
        chunk = b"".join(buffered)
        buffered.clear()
        last = b""
        while chunk:
            # The last byte is sent after the end of the statement
            await self._response.write(last + chunk[:-1])
            last = chunk[-1:]
            chunk = await pipe.read()
        try:
            await call.result()
        except ClickHouseError as error:
            return partial(self._response.fail, last, self.without_mark(error))
        return partial(self._response.end, last)

    def _kind(self, *, reads: bool) -> Slots:
        if self._query.rights.readonly:
            return Slots.READONLY_RESULTS
        return Slots.ADMIN_RESULTS if reads else Slots.ADMIN_WRITES

    def _marked(self, sql: bytes) -> bytes:
        # Data may follow an INSERT
        return (
            self._query.mark.encode() + sql
            if is_insert(sql)
            else sql + f"\n{self._query.mark}".encode()
        )

    def _start(
        self, statement: Callable[[], bytes], ended: Callable[[], None] | None = None
    ) -> EngineCall[StatementResult]:
        request, scope = self._request, self._scope

        def call() -> StatementResult:
            try:
                scope.load_tables(self._query.mark)
                return scope.connection.run(statement(), request.default_format, request.params)
            finally:
                if ended is not None:
                    ended()

        return self._query.threads.start(call, self._query.mark)


async def _rechunked(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Join chunks to larger ones, so that writing one costs little."""
    parts = [first] if first else []
    size = len(first)
    async for chunk in rest:
        parts.append(chunk)
        size += len(chunk)
        if size >= _INSERT_CHUNK_BYTES:
            yield b"".join(parts)
            parts, size = [], 0
    if parts:
        yield b"".join(parts)
