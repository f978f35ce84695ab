"""Calls of the engine in threads, none of which outlives its request.

A connection or a pipe must stay open while a call uses it: the engine would crash, or write into
another file. So a request waits for its call to end, even when the request is cancelled.
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
# A statement whose client has gone may end by itself for so long, then it is cancelled
ABANDONED_SECONDS = 2.0

T = TypeVar("T")


class Slots(enum.Enum):
    """Kinds of statements, each with a limit of its own, so that no kind waits for another."""

    READONLY_RESULTS = enum.auto()
    ADMIN_RESULTS = enum.auto()
    ADMIN_WRITES = enum.auto()


# Per kind; further statements are queued
CONCURRENT_STATEMENTS = 32
# Checking statements, opening connections, changing settings: none waits for a client
_SHORT_CALLS = 8


class EngineThreads:
    """Runs blocking calls of the engine in threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._slots = {kind: asyncio.Semaphore(CONCURRENT_STATEMENTS) for kind in Slots}
        self._threads = ThreadPoolExecutor(
            CONCURRENT_STATEMENTS * len(Slots), thread_name_prefix="query"
        )
        # By whether the user is read-only: checking its statements must not delay the admin
        self._short = {
            readonly: ThreadPoolExecutor(_SHORT_CALLS, thread_name_prefix="short")
            for readonly in (False, True)
        }
        # Cancelling must not wait for the queries that it is to end
        self._cancel_thread = ThreadPoolExecutor(1, thread_name_prefix="cancel")
        self._running: set[EngineCall[Any]] = set()

    def slot(self, kind: Slots) -> asyncio.Semaphore:
        """Return the semaphore to hold while a statement of this kind runs."""
        return self._slots[kind]

    def start(self, call: Callable[[], T], mark: str) -> EngineCall[T]:
        """Start a call that runs the statement with this mark.

        Hold a slot, and always await `EngineCall.stop`.
        """
        started = EngineCall(self._threads.submit(call), lambda: self._cancel(mark))
        self._running.add(started)
        started.future.add_done_callback(lambda _done: self._running.discard(started))
        return started

    async def run_short(self, call: Callable[[], T], *, readonly: bool) -> T:
        """Run a call that waits for no client; it is not interrupted."""
        return await uninterrupted(
            _awaited(asyncio.wrap_future(self._short[readonly].submit(call)))
        )

    async def close(self) -> None:
        """Stop the running calls, then the threads."""
        for call in list(self._running):
            await call.stop()
        for pool in (self._threads, *self._short.values(), self._cancel_thread):
            pool.shutdown()

    async def _cancel(self, mark: str) -> bool:
        """Cancel the statement with this mark; False if it does not run (yet)."""
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
        """Wait for the result; cancelling the wait does not cancel the call."""
        return await asyncio.shield(self.future)

    async def stop(
        self, *, grace_seconds: float = 0.0, cancelled: Callable[[], None] | None = None
    ) -> None:
        """Wait for the end of the call, whatever its result.

        It is cancelled after ``grace_seconds``; ``cancelled`` is called once the engine has
        accepted that.
        """
        await uninterrupted(self._stop(grace_seconds, cancelled))

    async def _stop(self, grace_seconds: float, cancelled: Callable[[], None] | None) -> None:
        if not self._call.cancel() and not self.future.done() and grace_seconds:
            await asyncio.wait([self.future], timeout=grace_seconds)
        while not self.future.done():
            # Retried: the statement may not have reached the engine yet
            if await self._cancel() and cancelled is not None:
                cancelled()
            await asyncio.wait([self.future], timeout=_RETRY_SECONDS)
        if not self.future.cancelled():
            # Retrieved, so that asyncio does not log it: `result` has raised it already
            self.future.exception()


async def _awaited(future: asyncio.Future[T]) -> T:
    return await future
