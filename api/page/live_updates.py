"""What has changed, told to everybody who reads along: one query for all of them."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextvars import Context
from time import monotonic
from typing import Any

import structlog

from api.clients import current
from api.database import Database, parsed
from api.problems import ProblemError
from api.queries import query
from breakout.clickhouse.errors import ClickHouseError
from breakout.observability.metrics import API_READERS

LOOK_SECONDS = 2.0
MOST_READERS = 2000
MOST_OF_CLIENT = 64
"""Streams of one address or key."""
STREAM_SECONDS = 3600.0
"""Then a browser follows anew by itself; one that is gone without a word is not kept for ever."""

log = structlog.get_logger(__name__)


class News:
    """Looks at the database while anybody reads along, and tells them what is new."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._readers: set[asyncio.Queue[dict[str, Any] | None]] = set()
        self._places: Counter[str] = Counter()
        self._latest: dict[str, Any] | None = None
        self._looking: asyncio.Task[None] | None = None

    async def now(self) -> dict[str, Any]:
        """Return the row of `sql/api/news.sql`. Raises as `Database.rows` does."""
        (row,) = await self._database.rows(query("news"), {})
        return row

    async def _new(self) -> dict[str, Any]:
        (row,) = parsed(await self._database.lines_now(query("news"), {}))
        return row

    async def follow(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the news of now, and again whenever they change, for an hour or until the end."""
        box: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(maxsize=1)
        if self._latest is not None:
            box.put_nowait(self._latest)
        self._readers.add(box)
        API_READERS.set(len(self._readers))
        if self._looking is None:
            # For everybody: the queries are charged to nobody.
            self._looking = asyncio.create_task(self._look(), context=Context())
        ends_at = monotonic() + STREAM_SECONDS
        try:
            with contextlib.suppress(TimeoutError):
                while news := await asyncio.wait_for(box.get(), ends_at - monotonic()):
                    yield news
        finally:
            self._readers.discard(box)
            API_READERS.set(len(self._readers))
            if not self._readers and self._looking is not None:
                self._looking.cancel()
                self._looking = self._latest = None

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Take a place among the readers until the block ends.

        Raises a problem when there is none: 429 when the client has too many, 503 when all are
        taken.
        """
        client, later = current.get().name, {"Retry-After": "60"}
        if self._places[client] >= MOST_OF_CLIENT:
            said = f"More than {MOST_OF_CLIENT} streams of events at once: close one first"
            raise ProblemError(429, said, headers=later)
        if self._places.total() >= MOST_READERS:
            raise ProblemError(503, "Too many live subscribers", headers=later)
        self._places[client] += 1
        try:
            yield
        finally:
            self._places[client] -= 1
            if not self._places[client]:
                del self._places[client]

    def close(self) -> None:
        """Let all readers go: a server that ends would wait for them."""
        for box in self._readers:
            _leave(box, None)

    async def _look(self) -> None:
        while True:
            with contextlib.suppress(ProblemError):  # too many queries run: look again later
                try:
                    self._tell(await self._new())
                except ClickHouseError as error:
                    log.warning("no news from ClickHouse", why=str(error))
            await asyncio.sleep(LOOK_SECONDS)

    def _tell(self, news: dict[str, Any]) -> None:
        if news != self._latest:
            self._latest = news
            # Who asks because of them gets what they are about.
            self._database.forget()
            for box in self._readers:
                _leave(box, news)


def _leave(box: asyncio.Queue[dict[str, Any] | None], news: dict[str, Any] | None) -> None:
    """Put the newest into a box, instead of what a slow reader has not taken yet."""
    if box.full():
        box.get_nowait()
    box.put_nowait(news)
