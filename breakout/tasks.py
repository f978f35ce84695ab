"""Waits for tasks that may lose or ignore a cancellation, without losing one's own.

A coroutine that is awaited directly gets its caller's cancellation. When it suppresses that, as
code often does while it awaits a task it has cancelled, the caller goes on.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

END_SECONDS = 5.0
"""How long a cancelled task may take to end."""
SECOND_SECONDS = 1.0
"""How long one that is cancelled again may take."""

T = TypeVar("T")

logger = logging.getLogger(__name__)

_abandoned: set["asyncio.Task[Any]"] = set()
"""Kept here, since the event loop keeps no task from being collected."""


async def uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`, which runs to its end; a cancellation is raised only then."""
    task = asyncio.create_task(work)
    interruption: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            interruption = error
    if interruption is not None:
        # The result is nobody's any more; an error of the work is still worth its cause
        raise interruption from (None if task.cancelled() else task.exception())
    return task.result()


async def in_own_task(work: Coroutine[Any, Any, T], *, within: float | None = None) -> T:
    """Return the result of `work`, which is cancelled with the caller.

    Raises `TimeoutError` after `within` seconds. That and a cancellation are raised whatever `work`
    makes of its own: it is left behind when it does not end.
    """
    task = asyncio.create_task(work)
    try:
        done, _ = await asyncio.wait([task], timeout=within)
    finally:
        await end(task)
    if not done:
        raise TimeoutError(f"it took longer than {within:g} s")
    return task.result()


async def end(task: "asyncio.Task[Any]", *, within: float | None = None) -> bool:
    """Cancel a task and wait for its end; return whether it has ended.

    One that has not after `within` seconds (null: `END_SECONDS`) is cancelled once more, and then
    left behind. A cancellation of the caller is raised when the waiting is over.
    """
    return await uninterrupted(_end(task, END_SECONDS if within is None else within))


async def _end(task: "asyncio.Task[Any]", within: float) -> bool:
    for seconds in (within, SECOND_SECONDS):
        if not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=seconds)
    if not task.done():
        logger.warning("left a task behind that ignores its cancellation: %s", task.get_coro())
        _abandoned.add(task)
    task.add_done_callback(_ended)
    return task.done()


def _ended(task: "asyncio.Task[Any]") -> None:
    _abandoned.discard(task)
    if not task.cancelled():
        task.exception()  # seen: asyncio need not complain of it
