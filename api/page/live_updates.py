"""Live updates: changes of the database, sent to all subscribers, at one query for all of them."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextvars import Context
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import structlog

from api.clients import current_client
from api.database import Database, parse_lines
from api.parameters import iso
from api.problems import ProblemError
from api.queries import query
from breakout.clickhouse.errors import ClickHouseError
from breakout.observability.metrics import API_READERS

POLL_SECONDS = 2.0
MAX_SUBSCRIBERS = 2000
MAX_STREAMS_PER_CLIENT = 64
STREAM_SECONDS = 3600.0
"""Then a browser reconnects by itself, and a subscriber that vanished silently is dropped."""

Update = dict[str, Any]
"""The row of `sql/api/live_updates.sql` and `stale_after_seconds`, or a `problem` alone."""

log = structlog.get_logger(__name__)


class LiveUpdates:
    """Polls the database while there are subscribers, and sends them what has changed."""

    def __init__(self, database: Database, stale_after_seconds: float) -> None:
        self._database = database
        self._stale_after_seconds = stale_after_seconds
        self._subscribers: set[asyncio.Queue[Update | None]] = set()
        self._streams: Counter[str] = Counter()
        self._latest: Update | None = None
        self._polling: asyncio.Task[None] | None = None

    async def current(self) -> Update:
        """Return the current state, cached. Raises as `Database.rows` does."""
        (row,) = await self._database.rows(query("live_updates"), {})
        return row

    async def subscribe(self) -> AsyncIterator[Update]:
        """Yield the current state, then each change, for an hour or until `close`."""
        queue: asyncio.Queue[Update | None] = asyncio.Queue(maxsize=1)
        if self._latest is not None:
            queue.put_nowait(self._latest)
        self._subscribers.add(queue)
        API_READERS.set(len(self._subscribers))
        if self._polling is None:
            # In an empty context: no client is charged for queries on behalf of all.
            self._polling = asyncio.create_task(self._poll(), context=Context())
        ends_at = monotonic() + STREAM_SECONDS
        try:
            with contextlib.suppress(TimeoutError):
                while update := await asyncio.wait_for(queue.get(), ends_at - monotonic()):
                    # By the server's clock, which tells the page the age of its data.
                    yield {**update, "sent_at": iso(datetime.now(UTC))}
        finally:
            self._subscribers.discard(queue)
            API_READERS.set(len(self._subscribers))
            if not self._subscribers and self._polling is not None:
                self._polling.cancel()
                self._polling = self._latest = None

    @contextlib.contextmanager
    def admit(self) -> Iterator[None]:
        """Count a stream of the current client until the block ends.

        Raises a problem above a limit: 429 if the client has too many streams, 503 if all have.
        """
        client, headers = current_client.get().name, {"Retry-After": "60"}
        if self._streams[client] >= MAX_STREAMS_PER_CLIENT:
            detail = f"Over the limit of {MAX_STREAMS_PER_CLIENT} event streams: close one first"
            raise ProblemError(429, detail, headers=headers)
        if self._streams.total() >= MAX_SUBSCRIBERS:
            raise ProblemError(503, "Too many live subscribers", headers=headers)
        self._streams[client] += 1
        try:
            yield
        finally:
            self._streams[client] -= 1
            if not self._streams[client]:
                del self._streams[client]

    def close(self) -> None:
        """End all streams."""
        for queue in self._subscribers:
            _replace(queue, None)

    async def _poll(self) -> None:
        while True:
            with contextlib.suppress(ProblemError):  # too many queries are running: poll later
                try:
                    lines = await self._database.queued_lines(query("live_updates"), {})
                    (row,) = parse_lines(lines)
                    self._publish({**row, "stale_after_seconds": self._stale_after_seconds})
                except ClickHouseError as error:
                    log.warning("cannot read live updates from ClickHouse", why=str(error))
                    self._publish({"problem": "The database is unavailable"})
            await asyncio.sleep(POLL_SECONDS)

    def _publish(self, update: Update) -> None:
        if update != self._latest:
            # Before subscribers are notified, since they request the new figures then.
            if _figures(update) != _figures(self._latest):
                self._database.expire_state()
            self._latest = update
            for queue in self._subscribers:
                _replace(queue, update)


def _figures(update: Update | None) -> Update | None:
    """Return an update without the heartbeats of parts, which change every few seconds."""
    return update and {name: value for name, value in update.items() if name != "parts"}


def _replace(queue: asyncio.Queue[Update | None], update: Update | None) -> None:
    """Put the latest update into a queue, replacing one that a slow subscriber has not read."""
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(update)
