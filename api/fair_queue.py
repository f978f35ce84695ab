"""Turns at the database: few at once, shared out fairly among those who ask.

A client has at most half of them, and who has used the database least comes next. So whoever
asks for much waits for himself, and others have their answers.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

from api.clients import Client
from api.problems import unavailable
from api.token_buckets import Buckets


class Turns:
    """Turns of `slots` queries at once. `costs` are the seconds that clients have used."""

    def __init__(self, slots: int, costs: Buckets) -> None:
        self._free = slots
        self._most = max(1, slots // 2)
        self._costs = costs
        self._running: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def turn(self, client: Client, wait_seconds: float) -> AsyncIterator[None]:
        """Wait for a turn; its seconds are charged to the client.

        Raises a 503 problem for a turn that does not come in time.
        """
        await self._come(client.name, wait_seconds)
        begun = monotonic()
        try:
            yield
        finally:
            ended = monotonic()
            self._costs.add(client.name, ended - begun, client.query_rate, ended)
            self._leave(client.name)

    async def _come(self, client: str, wait_seconds: float) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(mine)
        self._call()
        try:
            async with asyncio.timeout(wait_seconds):
                await mine
        except BaseException as error:
            if mine.done() and not mine.cancelled():
                self._leave(client)
            else:
                self._forget(client, mine)
            if isinstance(error, TimeoutError):
                raise unavailable("Too many queries run already", seconds=1) from None
            raise

    def _call(self) -> None:
        """Give free turns to those who wait and have the fewest, and have used the least."""
        while self._free:
            able = [name for name in self._waiting if self._running[name] < self._most]
            if not able:
                return
            now = monotonic()
            client = min(able, key=lambda name: (self._running[name], self._costs.ahead(name, now)))
            mine = self._waiting[client][0]
            self._forget(client, mine)
            if not mine.done():
                self._free -= 1
                self._running[client] += 1
                mine.set_result(None)

    def _forget(self, client: str, mine: asyncio.Future[None]) -> None:
        waiting = self._waiting.get(client, deque())
        if mine in waiting:
            waiting.remove(mine)
        if not waiting:
            self._waiting.pop(client, None)

    def _leave(self, client: str) -> None:
        self._free += 1
        self._running[client] -= 1
        if not self._running[client]:
            del self._running[client]
        self._call()
