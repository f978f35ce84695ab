"""One query: what it needs to run, and on which connection."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TypeVar

from breakout.local.clickhouse.checked_statements import CheckedStatements
from breakout.local.clickhouse.connection import Connection
from breakout.local.clickhouse.engine import Engine
from breakout.local.clickhouse.engine_threads import EngineThreads, Slots
from breakout.local.clickhouse.query_ids import QueryIds
from breakout.local.clickhouse.request import QueryRequest
from breakout.local.clickhouse.response import QueryResponse
from breakout.local.clickhouse.rights import Rights
from breakout.local.clickhouse.sessions import Session
from breakout.local.clickhouse.users import User

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Query:
    """A query about to run.

    ``mark`` identifies its statement in the engine. ``session`` is None for a connection that
    lasts for this query only.
    """

    engine: Engine
    threads: EngineThreads
    ids: QueryIds
    mark: str
    user: User
    request: QueryRequest
    rights: Rights
    checked: CheckedStatements
    session: Session | None
    response: QueryResponse
    slots: AsyncExitStack

    async def run_short(self, call: Callable[[], T]) -> T:
        """Run a call of the engine that waits for no client."""
        return await self.threads.run_short(call, readonly=self.rights.readonly)

    async def enter_slot(self, kind: Slots) -> None:
        """Wait for a slot, and keep it until the response is sent."""
        await self.slots.enter_async_context(self.threads.slot(kind))

    def connect(self) -> Connection:
        """Return the session's connection, or a new one. Blocks."""
        if self.session is None:
            return self.engine.connect(readonly=self.rights.readonly)
        if self.session.connection is None:
            self.session.connection = self.engine.connect(readonly=self.rights.readonly)
        return self.session.connection
