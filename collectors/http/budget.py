"""One request budget for all concurrent requests to a source."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable

from collectors.http.rate_limit import Policy, Remaining


class BudgetError(Exception):
    """The source demands a wait of `seconds`, longer than allowed."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the source demands a wait of {math.ceil(seconds)} s")
        self.seconds = seconds


class Budget:
    """Delays requests until the source's rate-limit window has room.

    Within a window, the lowest `remaining` of any response, less the requests in flight, is what
    may be sent: responses out of order never raise it. Until the source sends what remains, a
    known policy is enforced by counting the requests sent.
    """

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        longest_wait: float = 900.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._policy = policy
        self._longest_wait = longest_wait
        self._clock = clock
        self._in_flight = 0
        self._remaining: int | None = None
        self._resets_at = -math.inf
        self._blocked_until = -math.inf
        self._sent: deque[float] = deque()
        self._changed = asyncio.Event()

    async def acquire(self) -> float:
        """Wait until one more request may be sent, and count it; return the seconds waited.

        Raises `BudgetError` when the wait would be longer than the longest.
        """
        started = self._clock()
        while (seconds := self.seconds_to_wait()) > 0:
            if self._longest_wait < seconds < math.inf:
                raise BudgetError(seconds)
            changed = self._changed
            try:
                async with asyncio.timeout(None if seconds == math.inf else seconds):
                    await changed.wait()
            except TimeoutError:
                pass
        self._in_flight += 1
        if self._policy is not None:
            self._sent.append(self._clock())
        return self._clock() - started

    def seconds_to_wait(self) -> float:
        """Return seconds until a request may be sent; infinite = when one in flight returns."""
        now = self._clock()
        if now < self._blocked_until:
            return self._blocked_until - now
        if now >= self._resets_at:
            self._remaining = None
        if self._remaining is None:
            return self._own_count_wait(now)
        if self._remaining > self._in_flight:
            return 0.0
        if self._remaining == 0 or not self._in_flight:
            return self._resets_at - now
        return math.inf

    def returned(
        self,
        remaining: Remaining | None = None,
        policy: Policy | None = None,
    ) -> None:
        """Record that a request returned, with its response's rate limit if any."""
        self._in_flight -= 1
        self._policy = policy or self._policy
        if remaining is not None:
            self._record(remaining)
        elif self._remaining:
            # The source may have counted it nonetheless.
            self._remaining -= 1
        self._wake()

    def block(self, seconds: float) -> None:
        """Block all requests for so many seconds."""
        self._blocked_until = max(self._blocked_until, self._clock() + seconds)
        self._wake()

    def _record(self, limit: Remaining) -> None:
        resets_at = self._clock() + limit.reset_seconds
        # Resets are in integer seconds, so the end of one window varies by up to one.
        tolerance = 1.5
        if self._remaining is None or resets_at > self._resets_at + tolerance:
            self._remaining, self._resets_at = limit.remaining, resets_at
        elif resets_at >= self._resets_at - tolerance:
            self._remaining = min(self._remaining, limit.remaining)
            self._resets_at = max(self._resets_at, resets_at)

    def _own_count_wait(self, now: float) -> float:
        if self._policy is None:
            return 0.0
        while self._sent and self._sent[0] <= now - self._policy.window_seconds:
            self._sent.popleft()
        if len(self._sent) < self._policy.limit:
            return 0.0
        return self._sent[-self._policy.limit] + self._policy.window_seconds - now

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
