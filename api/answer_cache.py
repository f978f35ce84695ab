"""Answers given before: who asks the same gets the same, and it is asked once."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from api.problems import ProblemError
from breakout.observability.metrics import API_SHARED

MOST_BYTES = 64 * 2**20
KEPT_SECONDS = 60.0


@dataclass(frozen=True)
class _Answer:
    task: asyncio.Task[bytes]
    until: float
    """When it is too old to be given to anybody new, seconds of the monotonic clock."""


class Recent:
    """Keeps answers until it is told to forget them, and each for a minute at most."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, _Answer] = {}
        self._bytes = 0

    async def get(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, bytes]]) -> bytes:
        """Return the answer to `key`, of now or shared. Raises what `ask` raises."""
        while True:
            now = monotonic()
            answer = self._answers.get(key)
            mine = answer is None or now >= answer.until
            if answer is None or mine:
                self._make_room(now)
                task = asyncio.create_task(ask())
                answer = self._answers[key] = _Answer(task, now + KEPT_SECONDS)
                task.add_done_callback(lambda done: self._done(key, done))
            else:
                API_SHARED.inc()
            try:
                # Who leaves does not take the answer from the others.
                return await asyncio.shield(answer.task)
            except ProblemError:
                # Another's turn did not come; one's own may.
                if mine:
                    raise

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


class After:
    """Asks after the caller came, not before; all who come while one runs share the next."""

    def __init__(self) -> None:
        self._running = asyncio.Lock()
        self._next: asyncio.Task[bytes] | None = None

    async def get(self, ask: Callable[[], Coroutine[Any, Any, bytes]]) -> bytes:
        """Return an answer that was asked for after this call began. Raises what `ask` raises."""
        if self._next is None:
            self._next = asyncio.create_task(self._ask(ask))
        return await asyncio.shield(self._next)

    async def _ask(self, ask: Callable[[], Coroutine[Any, Any, bytes]]) -> bytes:
        async with self._running:
            # Who comes from here on came too late for this one.
            self._next = None
            return await ask()
