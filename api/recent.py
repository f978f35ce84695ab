"""Answers of the last moment: who asks the same gets the same, and it is asked once."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from breakout.metrics import API_SHARED

MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class _Answer:
    task: asyncio.Task[bytes]
    until: float
    """When it is too old to be given to anybody new, seconds of the monotonic clock."""


class Recent:
    """Keeps each answer for so many seconds from when it was asked for; 0 keeps none."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._answers: dict[Hashable, _Answer] = {}
        self._bytes = 0

    async def get(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, bytes]]) -> bytes:
        """Return the answer to `key`, of now or shared. Raises what `ask` raises."""
        if not self._seconds:
            return await ask()
        now = monotonic()
        answer = self._answers.get(key)
        if answer is not None and now < answer.until:
            API_SHARED.inc()
        else:
            self._make_room(now)
            task = asyncio.create_task(ask())
            answer = self._answers[key] = _Answer(task, now + self._seconds)
            task.add_done_callback(lambda done: self._done(key, done))
        # Who leaves does not take the answer from the others.
        return await asyncio.shield(answer.task)

    def forget(self) -> None:
        """Keep nothing: there is something new."""
        self._answers = {}
        self._bytes = 0

    def _done(self, key: Hashable, task: asyncio.Task[bytes]) -> None:
        answer = self._answers.get(key)
        if answer is None or answer.task is not task:
            # Forgotten meanwhile; whoever still waits for it gets it.
            task.cancelled() or task.exception()
        elif task.cancelled() or task.exception() is not None:
            # A mistake is not kept: the next one asks again.
            del self._answers[key]
        else:
            self._bytes += len(task.result())

    def _make_room(self, now: float) -> None:
        # The oldest come first.
        for key, answer in list(self._answers.items()):
            if not answer.task.done():
                continue
            if now < answer.until and self._bytes <= MOST_BYTES:
                break
            del self._answers[key]
            self._bytes -= len(answer.task.result())
