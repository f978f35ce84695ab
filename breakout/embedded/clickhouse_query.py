"""One request's statement, from its bytes to its answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from aiohttp import web

from breakout.embedded.clickhouse_answer import Answer
from breakout.embedded.clickhouse_blocks import BlockDecoder
from breakout.embedded.clickhouse_compression import decoded, request_decoder
from breakout.embedded.clickhouse_engine import Connection, Engine, Outcome, new_mark
from breakout.embedded.clickhouse_errors import (
    NOT_IMPLEMENTED,
    QUERY_IS_TOO_LARGE,
    SYNTAX_ERROR,
    ClickHouseError,
    raised_here,
)
from breakout.embedded.clickhouse_request import QueryRequest
from breakout.embedded.clickhouse_rights import Rights, check_needs_no_data
from breakout.embedded.clickhouse_sessions import Session
from breakout.embedded.clickhouse_sql import InsertHead, insert_head, is_insert, output_of
from breakout.embedded.clickhouse_stream import DataPipe, ResultPipe
from breakout.embedded.clickhouse_threads import EngineThreads

# An error that comes before this many bytes of result gets its own HTTP status
_HELD_BACK_BYTES = 1 << 20
_INSERT_PIECE_BYTES = 1 << 20
_LONGEST_STATEMENT = 256 << 20


@dataclass(frozen=True, slots=True)
class Query:
    """A statement about to run. ``session`` is None for a connection of its own."""

    engine: Engine
    threads: EngineThreads
    request: QueryRequest
    rights: Rights
    session: Session | None
    answer: Answer

    async def run(self, http: web.Request) -> web.StreamResponse:
        """Read the body, run the statement, answer.

        Raises ClickHouseError for a failure before any byte of the answer was sent.
        """
        body = self._body(http)
        statement = self.request.query + b"\n" if self.request.query else b""
        head: InsertHead | None = None
        complete = False
        while head is None and not complete:
            chunk = await anext(body, None)
            complete = chunk is None
            statement += chunk or b""
            if is_insert(statement):
                head = insert_head(statement, complete=complete)
            if head is None and len(statement) > _LONGEST_STATEMENT:
                raise raised_here(
                    QUERY_IS_TOO_LARGE,
                    f"The statement is longer than {_LONGEST_STATEMENT} bytes",
                )
        if not statement.strip():
            raise raised_here(SYNTAX_ERROR, "Syntax error: Empty query")
        running = _Running(self, await self.threads.run(self._connection))
        try:
            if head is not None:
                return await running.insert(head, statement[head.data_start :], body)
            return await running.statement(statement)
        except ClickHouseError as error:
            raise running.without_mark(error) from None
        finally:
            await running.leave()

    def _connection(self) -> Connection:
        if self.session is None:
            return self.engine.connect(reader=self.rights.reader)
        if self.session.connection is None:
            self.session.connection = self.engine.connect(reader=self.rights.reader)
        return self.session.connection

    async def _body(self, http: web.Request) -> AsyncIterator[bytes]:
        if http.content_type == "multipart/form-data":
            raise raised_here(
                NOT_IMPLEMENTED,
                "Forms (external tables, parameters in the body) are not supported by this server",
            )
        chunks: AsyncIterator[bytes] = aiter(http.content.iter_any())
        new_decoder = request_decoder(http.headers.get("Content-Encoding", ""))
        if new_decoder is not None:
            chunks = decoded(chunks, new_decoder)
        if self.request.decompress_blocks:
            chunks = decoded(chunks, BlockDecoder)
        async for chunk in chunks:
            yield chunk


class _Running:
    """The statement on its connection."""

    def __init__(self, query: Query, connection: Connection) -> None:
        self._request = query.request
        self._rights = query.rights
        self._session = query.session
        self._answer = query.answer
        self._threads = query.threads
        self._connection = connection
        self._mark = new_mark()
        self._earlier_settings: dict[str, str | None] = {}
        self._earlier_database: str | None = None

    def without_mark(self, error: ClickHouseError) -> ClickHouseError:
        """The error, its text free of what this program put into the statement."""
        return ClickHouseError(error.code, error.text.replace(f"\n{self._mark}", ""))

    async def leave(self) -> None:
        """Close the connection, or hand it back to its session as it was."""
        if self._session is None:
            self._connection.close()
        elif self._earlier_settings or self._earlier_database is not None:
            await self._threads.run(self._undo_settings)

    def _apply_settings(self) -> None:
        # Of the session they last, of the request they don't
        request, connection = self._request, self._connection
        if self._session is not None:
            if request.settings:
                self._earlier_settings = connection.changed(list(request.settings))
            if request.database is not None:
                self._earlier_database = connection.text("SELECT currentDatabase()")
        if request.database is not None:
            connection.use(request.database)
        connection.set(request.settings)

    def _undo_settings(self) -> None:
        with contextlib.suppress(ClickHouseError):
            self._connection.reset(self._earlier_settings)
            if self._earlier_database is not None:
                self._connection.use(self._earlier_database)

    async def insert(
        self, head: InsertHead, first: bytes, rest: AsyncIterator[bytes]
    ) -> web.StreamResponse:
        """Run an INSERT whose data may still be coming."""
        await self._threads.run(lambda: self._check_insert(head))
        pipe = DataPipe()
        try:
            await pipe.open()
            sql = head.reading_from(pipe.path, self._mark)
            running = asyncio.create_task(self._run(sql, pipe.stop_reading))
            try:
                async for piece in _pieces(first, rest):
                    if not await pipe.write(piece):
                        break  # the statement is over, and says why
                pipe.end()
                outcome = await running
            finally:
                if not running.done():
                    # The end of the data must not look like their proper end
                    await self._threads.cancel(running, self._mark)
                    pipe.end()
                    await asyncio.wait([running])
        finally:
            pipe.close()
        self._answer.name_format(self._request.default_format)
        return self._answer.whole(b"", outcome.progress)

    def _check_insert(self, head: InsertHead) -> None:
        request, connection = self._request, self._connection
        self._apply_settings()
        self._rights.check(connection, head.statement + b" FORMAT Null", request.params)

    async def statement(self, sql: bytes) -> web.StreamResponse:
        """Run any other statement, its result streamed if it only reads."""
        request, connection = self._request, self._connection
        output = output_of(sql)
        pipe = ResultPipe()
        piped = output.written_to(pipe.path, request.default_format)
        piped += f"\n{self._mark}".encode()
        self._answer.name_format(output.result_format or request.default_format)

        def check() -> bool:
            self._apply_settings()
            reads = self._rights.check(connection, sql, request.params) == "READ_ONLY"
            if is_insert(sql):
                check_needs_no_data(connection, sql, request.params)
            if reads:
                self._rights.check_rewritten(connection, piped, request.params)
            return reads

        try:
            if not await self._threads.run(check):
                outcome = await self._run(self._marked(sql))
                return self._answer.whole(outcome.body, outcome.progress)
            await pipe.open()
            running = asyncio.create_task(self._run(piped, pipe.end))
            try:
                return await self._stream(pipe, running)
            finally:
                pipe.stop_reading()
                running.cancel()
                await asyncio.wait([running])
        finally:
            pipe.close()

    def _marked(self, sql: bytes) -> bytes:
        # Behind an INSERT there may be data
        return self._mark.encode() + sql if is_insert(sql) else sql + f"\n{self._mark}".encode()

    async def _run(self, sql: bytes, ended: Callable[[], None] | None = None) -> Outcome:
        def call() -> Outcome:
            request = self._request
            try:
                return self._connection.run(sql, request.default_format, request.params)
            finally:
                if ended is not None:
                    ended()

        return await self._threads.run(call, self._mark)

    async def _stream(self, pipe: ResultPipe, running: asyncio.Task[Outcome]) -> web.StreamResponse:
        held: list[bytes] = []
        held_bytes = 0
        while chunk := await pipe.read():
            held.append(chunk)
            held_bytes += len(chunk)
            if held_bytes >= _HELD_BACK_BYTES and not self._request.wait_end_of_query:
                break
        else:
            outcome = await running
            # Statements that ignore INTO OUTFILE (a SELECT inside EXPLAIN) answer directly
            return self._answer.whole(b"".join(held) + outcome.body, outcome.progress)
        stream = await self._answer.begin()
        await self._answer.write(stream, b"".join(held))
        held.clear()
        while chunk := await pipe.read():
            await self._answer.write(stream, chunk)
        try:
            await running
        except ClickHouseError as error:
            await self._answer.fail(stream, self.without_mark(error))
        else:
            await self._answer.end(stream)
        return stream


async def _pieces(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The data in pieces so large that handing one over costs nothing."""
    parts = [first] if first else []
    size = len(first)
    async for chunk in rest:
        parts.append(chunk)
        size += len(chunk)
        if size >= _INSERT_PIECE_BYTES:
            yield b"".join(parts)
            parts, size = [], 0
    if parts:
        yield b"".join(parts)
