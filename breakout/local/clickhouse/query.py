"""One request's statement, from its bytes to its answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from aiohttp import web

from breakout.local.clickhouse.blocks import BlockDecoder
from breakout.local.clickhouse.compression import decoded, request_decoder
from breakout.local.clickhouse.engine import Connection, Engine, Outcome, Progress
from breakout.local.clickhouse.errors import SYNTAX_ERROR, ClickHouseError, raised_here
from breakout.local.clickhouse.form import ExternalTable
from breakout.local.clickhouse.hello import hello
from breakout.local.clickhouse.kill import Kill, kill_of
from breakout.local.clickhouse.query_ids import QueryIds
from breakout.local.clickhouse.receiving import arriving
from breakout.local.clickhouse.request import QueryRequest
from breakout.local.clickhouse.response import Answer
from breakout.local.clickhouse.rights import Rights, check_needs_no_data
from breakout.local.clickhouse.roles import take_roles
from breakout.local.clickhouse.sessions import Session
from breakout.local.clickhouse.statements import (
    InsertHead,
    Output,
    insert_head,
    is_insert,
    output_of,
)
from breakout.local.clickhouse.streaming import DataPipe, ResultPipe
from breakout.local.clickhouse.threads import LEFT_SECONDS, EngineCall, EngineThreads, Slots
from breakout.local.clickhouse.users import User

# An error that comes before this many bytes of result gets its own HTTP status
_HELD_BACK_BYTES = 1 << 20
_INSERT_PIECE_BYTES = 1 << 20
# ClickHouse's own: bytes of a statement that are parsed, the data of an INSERT not among them
MAX_QUERY_SIZE = 256 << 10
# As far as the setting of that name raises it
_MOST_PARSED_BYTES = 16 << 20
# Parsing more than this takes a thread
_PARSED_AT_ONCE_BYTES = 8 << 10
# How often a KILL QUERY ... SYNC looks whether the queries have ended
_KILLED_SECONDS = 0.1

T = TypeVar("T")

LastPart = Callable[[], Awaitable[web.StreamResponse]]
"""Sends what of an answer is left, all of it or its end. Until then the client waits; so whatever
it may use next (session, query id) is given back before."""


@dataclass(frozen=True, slots=True)
class Query:
    """A statement about to run. ``mark`` is its own among those of ``ids``; ``session`` is None for
    a connection of its own; ``slots`` keeps its slot until the answer is sent."""

    engine: Engine
    threads: EngineThreads
    ids: QueryIds
    mark: str
    user: User
    request: QueryRequest
    rights: Rights
    session: Session | None
    answer: Answer
    slots: contextlib.AsyncExitStack

    async def run(self, http: web.Request) -> LastPart:
        """Read the body, run the statement, answer but for the last part.

        Raises ClickHouseError for a failure before any byte of the answer was sent.
        """
        body = self._body(http)
        statement, head = await self._read(body)
        if not statement.strip():
            raise raised_here(SYNTAX_ERROR, "Syntax error: Empty query")
        first_answer = hello(self.request, statement, self.engine.version, self.engine.timezone)
        if first_answer is not None:
            self.answer.name_format(self.request.default_format)
            return partial(self.answer.whole, first_answer, Progress(result_rows=1))
        running = _Running(self, await self.short(self._connection))
        try:
            if head is not None:
                return await running.insert(head, statement[head.data_start :], body)
            return await running.statement(statement)
        except ClickHouseError as error:
            raise running.without_mark(error) from None
        finally:
            await running.leave()

    async def short(self, call: Callable[[], T]) -> T:
        """The result of a call of the engine that waits for no client."""
        return await self.threads.short(call, readonly=self.rights.readonly)

    async def _read(self, body: AsyncIterator[bytes]) -> tuple[bytes, InsertHead | None]:
        """Read all of a statement, or an INSERT up to where its data have begun."""
        statement = bytearray(self.request.query + b"\n" if self.request.query else b"")
        limit = MAX_QUERY_SIZE
        look_at = 0
        complete = False
        while not complete:
            chunk = await anext(body, None)
            complete = chunk is None
            statement += chunk or b""
            if len(statement) > MAX_QUERY_SIZE == limit:
                limit = await self._limit()
            if len(statement) < min(look_at, limit) and not complete:
                continue
            # What was looked at is looked at again only when there is twice as much
            look_at = 2 * len(statement)
            whole = complete and len(statement) <= limit
            head = await self._insert_head(bytes(statement[:limit]), complete=whole)
            if head is not None:
                return bytes(statement), head
            if len(statement) > limit:
                raise raised_here(
                    SYNTAX_ERROR,
                    f"Max query size exceeded: the statement is longer than {limit} bytes; the "
                    f"setting max_query_size changes that, up to {_MOST_PARSED_BYTES}",
                )
        return bytes(statement), None

    async def _insert_head(self, sql: bytes, *, complete: bool) -> InsertHead | None:
        def head() -> InsertHead | None:
            return insert_head(sql, complete=complete) if is_insert(sql) else None

        return head() if len(sql) <= _PARSED_AT_ONCE_BYTES else await self.short(head)

    async def _limit(self) -> int:
        """The most bytes of a statement that are parsed."""
        asked = self.request.settings.get("max_query_size")
        connection = None if self.session is None else self.session.connection
        if asked is None and connection is not None:
            setting = "SELECT getSetting('max_query_size')"
            asked = await self.short(lambda: connection.text(setting))
        if asked is None or not asked.isdecimal():
            return MAX_QUERY_SIZE
        return min(int(asked) or _MOST_PARSED_BYTES, _MOST_PARSED_BYTES)

    def _connection(self) -> Connection:
        if self.session is None:
            return self.engine.connect(readonly=self.rights.readonly)
        if self.session.connection is None:
            self.session.connection = self.engine.connect(readonly=self.rights.readonly)
        return self.session.connection

    async def _body(self, http: web.Request) -> AsyncIterator[bytes]:
        if self.request.external_tables is not None:
            return  # a form, which has been read
        chunks = arriving(aiter(http.content.iter_any()))
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
        self._engine = query.engine
        self._ids = query.ids
        self._user = query.user
        self._request = query.request
        self._rights = query.rights
        self._session = query.session
        self._answer = query.answer
        self._threads = query.threads
        self._slots = query.slots
        self._connection = connection
        self._mark = query.mark
        self._earlier_settings: dict[str, str | None] = {}
        self._earlier_database: str | None = None
        self._loaded: list[ExternalTable] = []

    def without_mark(self, error: ClickHouseError) -> ClickHouseError:
        """The error, its text free of what this program put into the statement."""
        return ClickHouseError(error.code, error.text.replace(f"\n{self._mark}", ""))

    async def leave(self) -> None:
        """Close the connection, or hand it back to its session as it was."""
        if self._session is None:
            self._connection.close()
        elif (
            self._earlier_settings
            or self._earlier_database is not None
            or self._loaded
            or self._request.roles
        ):
            await self._short(self._undo_settings)

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
        take_roles(connection, self._user, request.roles)
        connection.set(request.settings)

    def _undo_settings(self) -> None:
        for table in self._loaded:
            with contextlib.suppress(ClickHouseError):
                table.drop(self._connection)
        with contextlib.suppress(ClickHouseError):
            if self._request.roles and not self._user.readonly:
                self._connection.run(b"SET ROLE DEFAULT")
            self._connection.reset(self._earlier_settings)
            if self._earlier_database is not None:
                self._connection.use(self._earlier_database)

    async def insert(self, head: InsertHead, first: bytes, rest: AsyncIterator[bytes]) -> LastPart:
        """Run an INSERT whose data may still be coming."""
        await self._short(lambda: self._check_insert(head))
        await self._slots.enter_async_context(self._threads.slot(Slots.ADMIN_WRITES))
        pipe = DataPipe()
        try:
            await pipe.open()
            call = self._start(lambda: head.reading_from(pipe.path, self._mark), pipe.stop_reading)
            try:
                async for piece in _pieces(first, rest):
                    if not await pipe.write(piece):
                        break  # the statement is over, and says why
                pipe.end()
                outcome = await call.result()
            finally:
                # The end of the data must not look like their proper end
                await call.stop(cancelled=pipe.end)
        finally:
            pipe.close()
        return partial(self._answer.whole, b"", outcome.progress)

    def _check_insert(self, head: InsertHead) -> None:
        request, connection = self._request, self._connection
        self._apply_settings()
        self._rights.check(connection, head.statement + b" FORMAT Null", request.params)

    async def statement(self, sql: bytes) -> LastPart:
        """Run any other statement, its result streamed if it only reads."""
        request, connection = self._request, self._connection

        def check() -> Kill | tuple[bytes, bool, Output]:
            kill = kill_of(sql, request.default_format)
            if kill is not None:
                return kill
            shown = self._ids.shown(sql, request.query_id, readonly=self._user.readonly)
            output = output_of(shown)
            self._apply_settings()
            reads = self._rights.check(connection, shown, request.params) == "READ_ONLY"
            if is_insert(shown):
                check_needs_no_data(connection, shown, request.params)
            return shown, reads, output

        checked = await self._short(check)
        if isinstance(checked, Kill):
            return await self._kill(checked)
        shown, reads, output = checked
        result_format = output.result_format or request.default_format
        await self._slots.enter_async_context(self._threads.slot(self._kind(reads=reads)))
        if reads:
            self._answer.name_format(result_format)
            return await self._result(output)
        call = self._start(lambda: self._marked(shown))
        try:
            outcome = await call.result()
        finally:
            await call.stop()
        if outcome.body:
            self._answer.name_format(result_format)
        return partial(self._answer.whole, outcome.body, outcome.progress)

    async def _kill(self, kill: Kill) -> LastPart:
        request, user = self._request, self._user

        def run() -> tuple[bytes, list[str]]:
            self._apply_settings()
            if not self._rights.read_only:
                return kill.run(self._connection, self._ids, request.query_id, request.params)
            own = kill.of_user(self._connection, user.name, request.params)
            with contextlib.closing(self._engine.connect()) as connection:
                return own.run(connection, self._ids, request.query_id, {})

        # Without a slot: it must not wait for the very queries it is to end
        body, killed = await self._short(run)
        waits = kill.mode == "SYNC"
        while waits and await self._short(lambda: self._engine.runs(killed)):  # noqa: ASYNC110
            await asyncio.sleep(_KILLED_SECONDS)
        self._answer.name_format(kill.result_format)
        return partial(self._answer.whole, body, Progress())

    async def _result(self, output: Output) -> LastPart:
        request = self._request
        pipe = ResultPipe()

        def piped() -> bytes:
            sql = output.written_to(pipe.path, request.default_format)
            sql += f"\n{self._mark}".encode()
            self._rights.check_rewritten(self._connection, sql, request.params)
            return sql

        try:
            await pipe.open()
            call = self._start(piped, pipe.end)
            try:
                return await self._stream(pipe, call)
            finally:
                # A statement that writes to nobody ends on its own; cancelling is for the others
                pipe.stop_reading()
                await call.stop(grace_seconds=LEFT_SECONDS)
        finally:
            pipe.close()

    def _kind(self, *, reads: bool) -> Slots:
        if self._rights.readonly:
            return Slots.READER_RESULTS
        return Slots.ADMIN_RESULTS if reads else Slots.ADMIN_WRITES

    async def _short(self, call: Callable[[], T]) -> T:
        return await self._threads.short(call, readonly=self._rights.readonly)

    def _marked(self, sql: bytes) -> bytes:
        # Behind an INSERT there may be data
        return self._mark.encode() + sql if is_insert(sql) else sql + f"\n{self._mark}".encode()

    def _start(
        self, statement: Callable[[], bytes], ended: Callable[[], None] | None = None
    ) -> EngineCall[Outcome]:
        request = self._request

        def call() -> Outcome:
            try:
                for table in request.external_tables or ():
                    table.load(self._connection, self._mark)
                    self._loaded.append(table)
                return self._connection.run(statement(), request.default_format, request.params)
            finally:
                if ended is not None:
                    ended()

        return self._threads.start(call, self._mark)

    async def _stream(self, pipe: ResultPipe, call: EngineCall[Outcome]) -> LastPart:
        held: list[bytes] = []
        held_bytes = 0
        while chunk := await pipe.read():
            held.append(chunk)
            held_bytes += len(chunk)
            if held_bytes >= _HELD_BACK_BYTES and not self._request.wait_end_of_query:
                break
        else:
            outcome = await call.result()
            # Statements that ignore INTO OUTFILE (a SELECT inside EXPLAIN) answer directly
            return partial(self._answer.whole, b"".join(held) + outcome.body, outcome.progress)
        await self._answer.begin()
        chunk = b"".join(held)
        held.clear()
        last = b""
        while chunk:
            # Nobody has the whole result before the statement is over
            await self._answer.write(last + chunk[:-1])
            last = chunk[-1:]
            chunk = await pipe.read()
        try:
            await call.result()
        except ClickHouseError as error:
            return partial(self._answer.fail, last, self.without_mark(error))
        return partial(self._answer.end, last)


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
