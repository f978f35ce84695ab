"""Engine calls off the event loop, ended with the request that made them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from breakout.embedded.clickhouse_engine import Engine

# Requests beyond this wait for their turn
CONCURRENT_CALLS = 64
_RETRY_SECONDS = 0.2

T = TypeVar("T")


class EngineThreads:
    """Runs blocking calls of the engine in threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(CONCURRENT_CALLS, thread_name_prefix="query")
        # Cancelling must not wait behind the very queries it is to end
        self._cancel_thread = ThreadPoolExecutor(1, thread_name_prefix="cancel")

    async def run(self, call: Callable[[], T], mark: str | None = None) -> T:
        """The result of ``call``. A call is never left behind: when the waiting task is
        cancelled, statements that carry ``mark`` are cancelled in the engine, and the call's
        end is awaited before the cancellation goes on."""
        future = asyncio.get_running_loop().run_in_executor(self._threads, call)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            while not future.done():
                if mark is not None:
                    # Again and again: the statement may not have reached the engine yet
                    await self._cancel(mark)
                await asyncio.wait([future], timeout=_RETRY_SECONDS)
            raise

    async def cancel(self, running: asyncio.Task[T], mark: str) -> None:
        """Cancel the statement that ``running`` waits for, and return once the engine knows:
        what it reads after that it does not write."""
        while not running.done() and not await self._cancel(mark):
            await asyncio.wait([running], timeout=_RETRY_SECONDS)

    async def _cancel(self, mark: str) -> bool:
        loop = asyncio.get_running_loop()
        killing = loop.run_in_executor(self._cancel_thread, self._engine.cancel, mark)
        await asyncio.wait([killing])
        return killing.exception() is None and killing.result()

    def close(self) -> None:
        """Wait for the running calls and end the threads."""
        self._threads.shutdown()
        self._cancel_thread.shutdown()
