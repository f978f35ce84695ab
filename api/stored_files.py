"""Files of responses, kept for a while for clients that read them in parts.

A client that reads a file by ranges (DuckDB, Polars, a resumed download) sends a request for each,
and all parts must be of one file. So a file is kept for its client and address: ClickHouse is
queried once, and newer data do not mix into a file that is being read.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from time import monotonic
from typing import Any

from api.spool import SpoolFile
from api.table_states import State

MAX_AGE_SECONDS = 600.0
"""How long a file is read by ranges while the data change."""

Key = tuple[str, str, bytes, str]
"""Client, path, query string and format."""


@dataclass(frozen=True)
class StoredFile:
    """A file of a response, with the headers that describe it."""

    spooled: SpoolFile
    headers: dict[str, str]

    @property
    def etag(self) -> str:
        """Strong entity tag: equal tags mean equal bytes."""
        return self.headers["ETag"]


class _Entry:
    """A file that is made or there. It can be evicted once those who wait for it have it."""

    def __init__(self, state: State, making: Coroutine[Any, Any, StoredFile]) -> None:
        self.state, self.made_at = state, monotonic()
        self._waiting, self._is_kept = 0, True
        self._task = asyncio.create_task(making)
        self._task.add_done_callback(lambda _task: self._settle())

    def is_gone(self) -> bool:
        """Return whether the file failed, or is closed."""
        file = self._file()
        return self._task.done() and (file is None or file.spooled.closed)

    async def hold(self, stack: AsyncExitStack) -> StoredFile | None:
        """Return the file, held open by the stack; None if it is closed."""
        self._waiting += 1
        try:
            # A client that leaves must not end the query that others wait for.
            file = await asyncio.shield(self._task)
            if file.spooled.closed:
                return None
            stack.enter_context(file.spooled.reading())
            return file
        finally:
            self._waiting -= 1
            self._settle()

    def discard(self) -> None:
        """Let the file go once nobody reads it."""
        self._is_kept = False
        self._settle()

    def _settle(self) -> None:
        file = self._file()
        if file is None or self._waiting:
            return
        if self._is_kept:
            file.spooled.keep()
        else:
            file.spooled.discard()

    def _file(self) -> StoredFile | None:
        if not self._task.done() or self._task.cancelled() or self._task.exception() is not None:
            return None
        return self._task.result()


class StoredFiles:
    """The latest file of each client and address."""

    def __init__(self) -> None:
        self._entries: dict[Key, _Entry] = {}

    async def reading(self, key: Key, stack: AsyncExitStack) -> StoredFile | None:
        """Return the file that a client is reading, held open by the stack, if there is one."""
        entry = self._entries.get(key)
        if entry is None or monotonic() - entry.made_at > MAX_AGE_SECONDS:
            return None
        return await entry.hold(stack)

    async def get(
        self,
        key: Key,
        state: State,
        make: Callable[[], Coroutine[Any, Any, StoredFile]],
        stack: AsyncExitStack,
    ) -> StoredFile:
        """Return the file of this state of the data, held open by the stack; make it if needed.

        Raises what `make` raises. Concurrent requests for one key share a file.
        """
        while True:
            entry = self._entries.get(key)
            if entry is None or entry.state != state or entry.is_gone():
                if entry is not None:
                    entry.discard()
                entry = _Entry(state, make())
                self._entries = {k: e for k, e in self._entries.items() if not e.is_gone()}
                self._entries[key] = entry
            file = await entry.hold(stack)
            if file is not None:
                return file
