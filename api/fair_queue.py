"""A fair queue for database queries: few run concurrently, shared evenly among clients.

A client runs at most half of the slots, and the client that has used the least query time is
served next. A client with many requests waits behind its own, not in front of others.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

from api.clients import Client
from api.problems import unavailable
from api.token_buckets import TokenBuckets


class FairQueue:
    """Runs up to `slots` queries concurrently. `costs` holds each client's seconds of queries."""

    def __init__(self, slots: int, costs: TokenBuckets) -> None:
        self._free = slots
        self._client_limit = max(1, slots // 2)
        self._costs = costs
        self._running: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def slot(self, client: Client, wait_seconds: float) -> AsyncIterator[None]:
        """Wait for a slot and hold it for the block; its seconds are charged to the client.

        Raises a 503 problem if none is free within `wait_seconds`.
        """
        await self._acquire(client.name, wait_seconds)
        started = monotonic()
        try:
            yield
        finally:
            ended = monotonic()
            self._costs.add(client.name, ended - started, client.query_rate, ended)
            self._release(client.name)

    async def _acquire(self, client: str, wait_seconds: float) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(waiter)
        self._dispatch()
        try:
            async with asyncio.timeout(wait_seconds):
                await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled():
                self._release(client)
            else:
                self._remove(client, waiter)
            if isinstance(error, TimeoutError):
                raise unavailable("Too many queries are running", seconds=1) from None
            raise

    def _dispatch(self) -> None:
        """Give free slots to the clients with the fewest running queries, then the least cost."""
        while self._free:
            eligible = [name for name in self._waiting if self._running[name] < self._client_limit]
            if not eligible:
                return
            now = monotonic()
            client = min(
                eligible, key=lambda name: (self._running[name], self._costs.deficit(name, now))
            )
            waiter = self._waiting[client][0]
            self._remove(client, waiter)
            if not waiter.done():
                self._free -= 1
                self._running[client] += 1
                waiter.set_result(None)

    def _remove(self, client: str, waiter: asyncio.Future[None]) -> None:
        waiting = self._waiting.get(client, deque())
        if waiter in waiting:
            waiting.remove(waiter)
        if not waiting:
            self._waiting.pop(client, None)

    def _release(self, client: str) -> None:
        self._free += 1
        self._running[client] -= 1
        if not self._running[client]:
            del self._running[client]
        self._dispatch()
