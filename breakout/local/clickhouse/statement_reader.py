"""Reads a statement from a request, up to where the data of an INSERT begins."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from breakout.local.clickhouse.connection import Connection
from breakout.local.clickhouse.errors import SYNTAX_ERROR, clickhouse_error
from breakout.local.clickhouse.request import QueryRequest
from breakout.local.clickhouse.statements import InsertHead, insert_head, is_insert

# ClickHouse's default: bytes of a statement, without the data of an INSERT
MAX_QUERY_SIZE = 256 << 10
# The setting max_query_size raises the limit up to this
_LARGEST_QUERY_SIZE = 16 << 20
# A longer statement is parsed in a thread
_INLINE_PARSE_BYTES = 8 << 10

T = TypeVar("T")


class RunShort(Protocol):
    """Runs a call of the engine that waits for no client, in a thread."""

    async def __call__(self, call: Callable[[], T], /) -> T:
        """Return its result."""


@dataclass(frozen=True, slots=True)
class StatementReader:
    """Reads one statement; ``connection`` is the session's, if it has one."""

    request: QueryRequest
    connection: Connection | None
    run_short: RunShort

    async def read(self, body: AsyncIterator[bytes]) -> tuple[bytes, InsertHead | None]:
        """Read a complete statement, or an INSERT and the first of its data.

        Raises ClickHouseError for a statement longer than max_query_size.
        """
        statement = bytearray(self.request.query + b"\n" if self.request.query else b"")
        limit = MAX_QUERY_SIZE
        parse_at = 0
        complete = False
        while not complete:
            chunk = await anext(body, None)
            complete = chunk is None
            statement += chunk or b""
            if len(statement) > MAX_QUERY_SIZE == limit:
                limit = await self._limit()
            if len(statement) < min(parse_at, limit) and not complete:
                continue
            # Parsed again only when it has doubled: the time stays linear
            parse_at = 2 * len(statement)
            fits = complete and len(statement) <= limit
            head = await self._insert_head(bytes(statement[:limit]), complete=fits)
            if head is not None:
                return bytes(statement), head
            if len(statement) > limit:
                raise clickhouse_error(
                    SYNTAX_ERROR,
                    f"Max query size exceeded: the statement is longer than {limit} bytes; the "
                    f"setting max_query_size changes that, up to {_LARGEST_QUERY_SIZE}",
                )
        return bytes(statement), None

    async def _insert_head(self, sql: bytes, *, complete: bool) -> InsertHead | None:
        def head() -> InsertHead | None:
            return insert_head(sql, complete=complete) if is_insert(sql) else None

        return head() if len(sql) <= _INLINE_PARSE_BYTES else await self.run_short(head)

    async def _limit(self) -> int:
        value = self.request.settings.get("max_query_size")
        connection = self.connection
        if value is None and connection is not None:
            setting = "SELECT getSetting('max_query_size')"
            value = await self.run_short(lambda: connection.text(setting))
        if value is None or not value.isdecimal():
            return MAX_QUERY_SIZE
        return min(int(value) or _LARGEST_QUERY_SIZE, _LARGEST_QUERY_SIZE)
