"""What has changed, told to everybody who reads along: one query for all of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import structlog

from api.database import Database, parsed
from api.problems import ProblemError
from api.queries import query
from breakout.clickhouse import ClickHouseError
from breakout.metrics import API_READERS

LOOK_SECONDS = 2.0
MOST_READERS = 2000

log = structlog.get_logger(__name__)


class News:
    """Looks at the database while anybody reads along, and tells them what is new."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._readers: set[asyncio.Queue[dict[str, Any] | None]] = set()
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
        """Yield the news of now, and again whenever they change, until the server ends."""
        box: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(maxsize=1)
        if self._latest is not None:
            box.put_nowait(self._latest)
        self._readers.add(box)
        API_READERS.set(len(self._readers))
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        try:
            while (news := await box.get()) is not None:
                yield news
        finally:
            self._readers.discard(box)
            API_READERS.set(len(self._readers))
            if not self._readers and self._looking is not None:
                self._looking.cancel()
                self._looking = self._latest = None

    def room(self) -> None:
        """Raise a 503 problem when too many read along already."""
        if len(self._readers) >= MOST_READERS:
            raise ProblemError(503, "Too many read along already", headers={"Retry-After": str(60)})

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
