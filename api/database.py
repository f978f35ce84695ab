"""The database of the API: cached answers, a fair queue of queries, spooled responses."""

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from api.answer_cache import AnswerCache, Fetch
from api.clients import current_client
from api.fair_queue import FairQueue
from api.model_batches import ModelBatches
from api.queries import Values
from api.query_tables import tables_of
from api.read_only_client import ReadOnlyClient, collect, single_chunk
from api.spool import Spool, SpoolFile
from api.table_states import State, TableStates, same
from api.token_buckets import TokenBuckets
from breakout.settings import Settings


def parse_lines(lines: bytes) -> list[dict[str, Any]]:
    """Return the rows of lines of JSON."""
    return [json.loads(line) for line in lines.splitlines()]


class ChangedError(Exception):
    """A table has changed while it was read."""


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
        self._states = TableStates(self._client, settings.api_fresh_seconds)
        self._batches = ModelBatches(self._slot, self._client.lines)

    async def state(self) -> State:
        """Return the states of the tables, of up to `api_fresh_seconds` ago."""
        return await self._states.recent()

    def expire_state(self) -> None:
        """Read the states of the tables again at the next request."""
        self._states.expire()

    async def rows(self, sql: str, values: Values) -> list[dict[str, Any]]:
        """Return all rows of a small response, cached."""
        return parse_lines(await self.lines(sql, values))

    async def lines(self, sql: str, values: Values, *, batched: bool = False) -> bytes:
        """Return the lines of JSON of a small response, cached until a table it reads changes.

        A query about one model is `batched`: it may run together with others.
        """
        state = await self.state()
        run = self._batches.lines if batched else self.queued_lines
        return await self._cached(state, sql, values, lambda: run(sql, values))

    async def lines_at(
        self, state: State, sql: str, values: Values, *, batched: bool = False
    ) -> bytes:
        """Return the lines of JSON of a small response whose tables were all in this state.

        Responses of one state are consistent with each other. Raises `ChangedError` if a table has
        changed. See `lines` for `batched`.
        """
        run = self._batches.lines if batched else self.queued_lines

        async def fetch() -> bytes:
            lines = await run(sql, values)
            if not same(state, await self._states.current(), tables_of(sql)):
                raise ChangedError
            return lines

        return await self._cached(state, sql, values, fetch)

    async def queued_lines(self, sql: str, values: Values) -> bytes:
        """Return the lines of JSON of a small response, not cached."""
        async with self.stream(sql, values, "JSONEachRow") as chunks:
            return await collect(chunks)

    async def _cached(self, state: State, sql: str, values: Values, fetch: Fetch) -> bytes:
        if not self._settings.api_fresh_seconds:
            return await fetch()
        states = {table: state.get(table) for table in sorted(tables_of(sql))}
        key = json.dumps((sql, values, states), sort_keys=True)
        return await self._cache.get(key, fetch)

    @asynccontextmanager
    async def stream(
        self, sql: str, values: Values, output_format: str
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Run a query in a slot and yield the chunks of its response as they arrive."""
        async with self._slot(), self._client.stream(sql, values, output_format) as chunks:
            yield chunks

    async def spool(self, sql: str, values: Values, output_format: str) -> SpoolFile:
        """Run a query and return its response as a file, which the caller closes.

        The query has ended then, so a slow client does not occupy ClickHouse. Raises a
        `ProblemError` for a response that is too large, too.
        """
        file = await self._file()
        try:
            async with self.stream(sql, values, output_format) as chunks:
                await file.write(chunks)
        except BaseException:
            file.close()
            raise
        return file

    async def spool_at(
        self, state: State, sql: str, values: Values, output_format: str
    ) -> SpoolFile:
        """Run a query as `spool` does, on tables that were all in this state.

        Raises `ChangedError` if a table has changed.
        """
        file = await self.spool(sql, values, output_format)
        try:
            if not same(state, await self._states.current(), tables_of(sql)):
                raise ChangedError
        except BaseException:
            file.close()
            raise
        return file

    async def spool_bytes(self, data: bytes) -> SpoolFile:
        """Return a response as a file, as `spool` does."""
        file = await self._file()
        try:
            await file.write(single_chunk(data))
        except BaseException:
            file.close()
            raise
        return file

    async def _file(self) -> SpoolFile:
        return await self._spool.create(current_client.get().name, self._settings.api_wait_seconds)

    def _slot(self) -> AbstractAsyncContextManager[None]:
        return self._queue.slot(current_client.get(), self._settings.api_wait_seconds)

    async def close(self) -> None:
        """Close the connections, and the files that nobody reads."""
        self._spool.close()
        await self._client.close()
