"""Waits for tasks that may suppress a cancellation, without losing the caller's own.

A coroutine that is awaited directly receives its caller's cancellation. If it suppresses that, as
code often does while it awaits a task it has cancelled, the caller keeps running.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

END_SECONDS = 5.0
"""Time for a cancelled task to end."""
SECOND_SECONDS = 1.0
"""Time for it to end after a second cancellation."""

T = TypeVar("T")

logger = logging.getLogger(__name__)

_abandoned: set["asyncio.Task[Any]"] = set()
"""Referenced here, because the event loop holds only weak references to tasks."""


async def uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end and return its result; a cancellation is raised only after that."""
    task = asyncio.create_task(work)
    interruption: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            interruption = error
    if interruption is not None:
        # The result is lost, but an error of the work is kept as the cause
        raise interruption from (None if task.cancelled() else task.exception())
    return task.result()


async def in_own_task(work: Coroutine[Any, Any, T], *, within: float | None = None) -> T:
    """Run `work` in a task that is cancelled with the caller, and return its result.

    Raises `TimeoutError` after `within` seconds. That and a cancellation are raised even if `work`
    suppresses its own cancellation: a task that does not end is abandoned.
    """
    task = asyncio.create_task(work)
    try:
        done, _ = await asyncio.wait([task], timeout=within)
    finally:
        await end(task)
    if not done:
        raise TimeoutError(f"took longer than {within:g} s")
    return task.result()


async def end(task: "asyncio.Task[Any]", *, within: float | None = None) -> bool:
    """Cancel a task and wait for its end; return whether it has ended.

    A task that has not ended after `within` seconds (null: `END_SECONDS`) is cancelled once more,
    and then abandoned. A cancellation of the caller is raised after the wait.
    """
    return await uninterrupted(_end(task, END_SECONDS if within is None else within))


async def _end(task: "asyncio.Task[Any]", within: float) -> bool:
    for seconds in (within, SECOND_SECONDS):
        if not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=seconds)
    if not task.done():
        logger.warning("abandoned a task that ignores its cancellation: %s", task.get_coro())
        _abandoned.add(task)
    task.add_done_callback(_ended)
    return task.done()


def _ended(task: "asyncio.Task[Any]") -> None:
    _abandoned.discard(task)
    if not task.cancelled():
        task.exception()  # retrieved, so that asyncio does not log it
