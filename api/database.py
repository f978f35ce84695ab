"""The database of the API: cached answers, a fair queue of queries, spooled responses."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from time import monotonic
from typing import Any

from api.answer_cache import AnswerCache, CoalescedQuery, Fetch
from api.clients import current_client
from api.fair_queue import FairQueue
from api.queries import Statement, Values, query
from api.read_only_client import ReadOnlyClient, collect, single_chunk
from api.spool import Spool, SpoolFile
from api.token_buckets import TokenBuckets
from breakout.settings import Settings


def parse_lines(lines: bytes) -> list[dict[str, Any]]:
    """Return the rows of lines of JSON."""
    return [json.loads(line) for line in lines.splitlines()]


class Database:
    """Runs the API's queries.

    All methods raise `ClickHouseError` for a failed query, and those that wait in the queue a 503
    `ProblemError` if no slot is free in time.
    """

    def __init__(self, settings: Settings, costs: TokenBuckets) -> None:
        self._settings = settings
        self._client = ReadOnlyClient(settings)
        self._queue = FairQueue(settings.api_concurrent_queries, costs)
        self._spool = Spool(settings.api_spool_mebibytes * 2**20)
        self._cache = AnswerCache()
        self._coalesced: dict[str, CoalescedQuery] = {}
        self._checking = asyncio.Lock()
        self._checked_until = 0.0
        self._state = b""

    async def rows(self, sql: str, values: Values) -> list[dict[str, Any]]:
        """Return all rows of a small response, cached."""
        return parse_lines(await self.lines(sql, values))

    async def lines(self, sql: str, values: Values) -> bytes:
        """Return the lines of JSON of a small response, cached."""
        return await self.cached((sql, values), lambda: self.queued_lines(sql, values))

    async def queued_lines(self, sql: str, values: Values) -> bytes:
        """Return the lines of JSON of a small response, not cached."""
        async with self.stream(sql, values, "JSONEachRow") as chunks:
            return await collect(chunks)

    async def fresh_lines(self, sql: str, values: Values) -> bytes:
        """Return the lines of JSON of a query that starts after this call.

        Concurrent callers share it. It does not wait in the queue, so it must be a small one.
        """
        key = json.dumps((sql, values), sort_keys=True)
        coalesced = self._coalesced.setdefault(key, CoalescedQuery())
        return await coalesced.get(lambda: self._client.lines(sql, values))

    async def lines_between(
        self, statement: Statement, marker: Statement
    ) -> tuple[bytes, bytes, bytes]:
        """Return the lines of `marker` before, of the statement, and of `marker` after it."""
        async with self._slot():
            before = await self.fresh_lines(*marker)
            lines = await self._client.lines(*statement)
            return before, lines, await self.fresh_lines(*marker)

    async def cached(self, key: object, fetch: Fetch) -> bytes:
        """Return what `fetch` returns, from the cache if nothing has changed since.

        The key must be serializable as JSON.
        """
        if not self._settings.api_fresh_seconds:
            return await fetch()
        await self._clear_if_changed()
        return await self._cache.get(json.dumps(key, sort_keys=True), fetch)

    def clear_cache(self) -> None:
        """Drop all cached answers."""
        self._checked_until = 0.0
        self._cache.clear()

    async def _clear_if_changed(self) -> None:
        """Clear the cache if any table has changed; checks once in `api_fresh_seconds`."""
        # Requests during a check need not wait for it.
        if (now := monotonic()) < self._checked_until or self._checking.locked():
            return
        async with self._checking:
            # Not queued: cached answers must not wait for slots.
            state = await self._client.lines(query("state"), {})
            if state != self._state:
                self._state = state
                self._cache.clear()
            self._checked_until = now + self._settings.api_fresh_seconds

    @asynccontextmanager
    async def stream(
        self, sql: str, values: Values, output_format: str
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Run a query in a slot and yield the chunks of its response as they arrive."""
        async with self._slot(), self._client.stream(sql, values, output_format) as chunks:
            yield chunks

    @asynccontextmanager
    async def spool_query(
        self, sql: str, values: Values, output_format: str
    ) -> AsyncIterator[SpoolFile]:
        """Run a query and write its response to a file, which exists until the block ends.

        The query has ended when this yields, so a slow client does not occupy ClickHouse. Raises a
        `ProblemError` for a response that is too large, too.
        """
        async with self._file() as file:
            async with self.stream(sql, values, output_format) as chunks:
                await file.write(chunks)
            yield file

    @asynccontextmanager
    async def spool_bytes(self, data: bytes) -> AsyncIterator[SpoolFile]:
        """Write a response to a file, as `spool_query` does."""
        async with self._file() as file:
            await file.write(single_chunk(data))
            yield file

    def _file(self) -> AbstractAsyncContextManager[SpoolFile]:
        return self._spool.file(current_client.get().name, self._settings.api_wait_seconds)

    def _slot(self) -> AbstractAsyncContextManager[None]:
        return self._queue.slot(current_client.get(), self._settings.api_wait_seconds)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
