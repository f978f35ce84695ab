"""Engine calls off the event loop, which never outlive the request that made them.

The engine must not lose a connection or a pipe that a call of it still uses: it would crash, or
write into another file. So a call ends before whoever started it goes on, also when that is
cancelled.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from breakout.local.clickhouse.engine import Engine
from breakout.tasks import uninterrupted

_RETRY_SECONDS = 0.2
# How long a statement whose result nobody takes may end on its own
LEFT_SECONDS = 2.0

T = TypeVar("T")


class Slots(enum.Enum):
    """Statements that may run at once, counted for each kind, so that no kind waits for another."""

    READER_RESULTS = enum.auto()
    ADMIN_RESULTS = enum.auto()
    ADMIN_WRITES = enum.auto()


# Statements beyond this wait for their turn
CONCURRENT_STATEMENTS = 32
# Judging statements, opening connections, changing settings: nothing of it waits for a client
_SHORT_CALLS = 8


class EngineThreads:
    """Runs blocking calls of the engine in threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._slots = {kind: asyncio.Semaphore(CONCURRENT_STATEMENTS) for kind in Slots}
        self._threads = ThreadPoolExecutor(
            CONCURRENT_STATEMENTS * len(Slots), thread_name_prefix="query"
        )
        # By whether the user is read-only: its statements, however long to check, delay no admin
        self._short = {
            readonly: ThreadPoolExecutor(_SHORT_CALLS, thread_name_prefix="short")
            for readonly in (False, True)
        }
        # Cancelling must not wait behind the very queries it is to end
        self._cancel_thread = ThreadPoolExecutor(1, thread_name_prefix="cancel")
        self._running: set[EngineCall[Any]] = set()

    def slot(self, kind: Slots) -> asyncio.Semaphore:
        """Hold it (``async with``) while a statement of this kind runs."""
        return self._slots[kind]

    def start(self, call: Callable[[], T], mark: str) -> EngineCall[T]:
        """Start a call that runs the statement which carries ``mark``. Hold a slot, and await
        `EngineCall.stop` whatever happens."""
        started = EngineCall(self._threads.submit(call), lambda: self._cancel(mark))
        self._running.add(started)
        started.future.add_done_callback(lambda _done: self._running.discard(started))
        return started

    async def short(self, call: Callable[[], T], *, readonly: bool) -> T:
        """The result of a call that waits for no client. It is not interrupted."""
        return await uninterrupted(
            _awaited(asyncio.wrap_future(self._short[readonly].submit(call)))
        )

    async def close(self) -> None:
        """End the running calls, and then the threads."""
        for call in list(self._running):
            await call.stop()
        for pool in (self._threads, *self._short.values(), self._cancel_thread):
            pool.shutdown()

    async def _cancel(self, mark: str) -> bool:
        """Cancel the statement that carries ``mark``; False when the engine has none (yet)."""
        loop = asyncio.get_running_loop()
        killing = loop.run_in_executor(self._cancel_thread, self._engine.cancel, mark)
        await asyncio.wait([killing])
        return killing.exception() is None and killing.result()


class EngineCall(Generic[T]):
    """A call that runs in a thread."""

    def __init__(self, call: Future[T], cancel: Callable[[], Coroutine[Any, Any, bool]]) -> None:
        self._call = call
        self._cancel = cancel
        self.future = asyncio.wrap_future(call)

    async def result(self) -> T:
        """What the call returns or raises. When the waiting is cancelled the call goes on."""
        return await asyncio.shield(self.future)

    async def stop(
        self, *, grace_seconds: float = 0.0, cancelled: Callable[[], None] | None = None
    ) -> None:
        """Return once the call is over, however it ended.

        One that still runs after ``grace_seconds`` is cancelled; ``cancelled`` is called when the
        engine knows.
        """
        await uninterrupted(self._stop(grace_seconds, cancelled))

    async def _stop(self, grace_seconds: float, cancelled: Callable[[], None] | None) -> None:
        if not self._call.cancel() and not self.future.done() and grace_seconds:
            await asyncio.wait([self.future], timeout=grace_seconds)
        while not self.future.done():
            # Again and again: the statement may not have reached the engine yet
            if await self._cancel() and cancelled is not None:
                cancelled()
            await asyncio.wait([self.future], timeout=_RETRY_SECONDS)
        if not self.future.cancelled():
            # Whoever wanted to know has asked for the result
            self.future.exception()


async def _awaited(future: asyncio.Future[T]) -> T:
    return await future
