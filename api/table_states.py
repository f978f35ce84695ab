"""States of the tables, to detect changes: background merges do not change a state, inserts do."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import monotonic

from api.answer_cache import CoalescedQuery
from api.queries import query
from api.read_only_client import ReadOnlyClient

State = Mapping[str, str]
"""Opaque states by table; a table without rows has none."""


@dataclass(frozen=True)
class ReadFrom:
    """The tables that a response was read from, and their states then."""

    tables: frozenset[str]
    state: State

    def is_unchanged(self, state: State) -> bool:
        """Return whether the response is the same in this state."""
        return same(self.state, state, self.tables)


def same(first: State, second: State, tables: Iterable[str]) -> bool:
    """Return whether these tables are in the same state."""
    return all(first.get(table) == second.get(table) for table in tables)


class TableStates:
    """Reads the states of all tables by one small query, which does not wait in the queue."""

    def __init__(self, client: ReadOnlyClient, fresh_seconds: float) -> None:
        self._client = client
        self._fresh_seconds = fresh_seconds
        self._coalesced = CoalescedQuery()
        self._latest: State | None = None
        self._fresh_until = 0.0
        self._refreshing = asyncio.Lock()

    async def recent(self) -> State:
        """Return the states of up to `fresh_seconds` ago. Raises `ClickHouseError`."""
        latest = self._latest
        # Requests during a refresh need not wait for it.
        if latest is not None and (monotonic() < self._fresh_until or self._refreshing.locked()):
            return latest
        async with self._refreshing:
            return await self.current()

    async def current(self) -> State:
        """Return the states by a query that starts after this call. Raises `ClickHouseError`."""
        began = monotonic()
        lines = await self._coalesced.get(lambda: self._client.lines(query("table_states"), {}))
        rows = (json.loads(line) for line in lines.splitlines())
        self._latest = {row["table"]: row["state"] for row in rows}
        self._fresh_until = began + self._fresh_seconds
        return self._latest

    def expire(self) -> None:
        """Make the next call of `recent` read the states again."""
        self._fresh_until = 0.0
