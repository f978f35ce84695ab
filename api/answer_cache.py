"""Answer cache: identical queries share one answer while the tables they read do not change."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from api.problems import ProblemError
from breakout.observability.metrics import API_SHARED

MAX_BYTES = 64 * 2**20
TTL_SECONDS = 60.0

Fetch = Callable[[], Coroutine[Any, Any, bytes]]
"""Runs the query of an answer."""


@dataclass(frozen=True)
class _Entry:
    task: asyncio.Task[bytes]
    expires_at: float
    """Seconds of the monotonic clock."""


class AnswerCache:
    """Stores each answer for up to a minute; concurrent requests share one."""

    def __init__(self) -> None:
        self._entries: dict[Hashable, _Entry] = {}
        self._bytes = 0

    async def get(self, key: Hashable, fetch: Fetch) -> bytes:
        """Return the cached answer of `key`, else fetch it. Raises what `fetch` raises."""
        while True:
            now = monotonic()
            entry = self._entries.get(key)
            mine = entry is None or now >= entry.expires_at
            if entry is None or mine:
                self._evict(now)
                task = asyncio.create_task(fetch())
                entry = self._entries[key] = _Entry(task, now + TTL_SECONDS)
                task.add_done_callback(lambda done: self._store(key, done))
            else:
                API_SHARED.inc()
            try:
                # A cancelled request must not cancel the answer of the others.
                return await asyncio.shield(entry.task)
            except ProblemError:
                # The other client may have been refused for its own load: retry as this one.
                if mine:
                    raise

    def _store(self, key: Hashable, task: asyncio.Task[bytes]) -> None:
        entry = self._entries.get(key)
        if entry is None or entry.task is not task:
            # Expired meanwhile. Retrieve the exception, or asyncio logs it.
            task.cancelled() or task.exception()
        elif task.cancelled() or task.exception() is not None:
            # Errors are not cached.
            del self._entries[key]
        else:
            self._bytes += len(task.result())

    def _evict(self, now: float) -> None:
        # Oldest first.
        for key, entry in list(self._entries.items()):
            if not entry.task.done():
                continue
            if now < entry.expires_at and self._bytes <= MAX_BYTES:
                break
            del self._entries[key]
            self._bytes -= len(entry.task.result())


class CoalescedQuery:
    """Runs one query at a time; all callers that arrive meanwhile share the next run."""

    def __init__(self) -> None:
        self._running = asyncio.Lock()
        self._next: asyncio.Task[bytes] | None = None

    async def get(self, fetch: Fetch) -> bytes:
        """Return an answer whose query started after this call. Raises what `fetch` raises."""
        if self._next is None:
            self._next = asyncio.create_task(self._fetch(fetch))
        return await asyncio.shield(self._next)

    async def _fetch(self, fetch: Fetch) -> bytes:
        async with self._running:
            # Callers from here on need a later run.
            self._next = None
            return await fetch()
