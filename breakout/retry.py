"""The retry policy of every part: exponential backoff with jitter, run by tenacity."""

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import sleep
from typing import NamedTuple, TypeAlias, TypeVar

from tenacity import AsyncRetrying, RetryCallState, Retrying
from tenacity.nap import sleep_using_event
from tenacity.retry import retry_if_exception, retry_if_exception_type
from tenacity.stop import (
    stop_after_attempt,
    stop_any,
    stop_before_delay,
    stop_never,
    stop_when_event_set,
)

_MAX_DOUBLINGS = 64

ResultT = TypeVar("ResultT")

Errors: TypeAlias = type[Exception] | tuple[type[Exception], ...] | Callable[[BaseException], bool]
"""What is retried: types of errors, or a function of the error."""


class Retry(NamedTuple):
    """A failed attempt that will be retried."""

    error: BaseException
    wait_seconds: float
    """Seconds until the next attempt."""
    elapsed_seconds: float
    """Seconds since the first attempt began."""


OnRetry: TypeAlias = Callable[[Retry], None]


def _ignore(_retry: Retry) -> None:
    pass


@dataclass(frozen=True)
class RetryPolicy:
    """How often, how long and after which waits to retry.

    The n-th wait is at most `first_wait_seconds` * 2 ** (n - 1), and at most `max_wait_seconds`.
    `jitter` is the random share of each wait, so that clients of a restarted server do not return
    together: 0.5 waits between half the bound and the bound, 1.0 ("full jitter") anywhere below it.
    """

    first_wait_seconds: float = 0.1
    max_wait_seconds: float = 10.0
    jitter: float = 0.5
    attempts: int | None = None
    """Maximum number of attempts; None = no limit."""
    timeout_seconds: float | None = None
    """No attempt begins later than this after the first; None = no limit."""

    def __post_init__(self) -> None:
        if self.attempts is not None and self.attempts < 1:
            raise ValueError(f"attempts must be at least 1, got {self.attempts}")

    def wait_seconds(self, failures: int) -> float:
        """Return the seconds to wait after `failures` failures in a row."""
        doublings = min(failures - 1, _MAX_DOUBLINGS)
        bound = min(self.max_wait_seconds, self.first_wait_seconds * 2.0**doublings)
        return bound * random.uniform(1 - self.jitter, 1)  # noqa: S311

    def call(
        self,
        function: Callable[[], ResultT],
        *,
        retry_on: Errors,
        on_retry: OnRetry = _ignore,
        stop: threading.Event | None = None,
        retry_after: Callable[[BaseException], float | None] = lambda _error: None,
    ) -> ResultT:
        """Return what `function` returns, calling it until it succeeds; raises its last error.

        `stop` ends a wait immediately, and the retries. `retry_after` returns how many seconds the
        server asked to wait, which replaces the backoff up to `max_wait_seconds`.
        """

        def wait(state: RetryCallState) -> float:
            asked = retry_after(_error(state))
            if asked is None:
                return self.wait_seconds(state.attempt_number)
            return min(max(asked, 0.0), self.max_wait_seconds)

        retrying = Retrying(
            retry=_condition(retry_on),
            wait=wait,
            stop=self._stop() if stop is None else self._stop() | stop_when_event_set(stop),
            sleep=sleep if stop is None else sleep_using_event(stop),
            before_sleep=_before_sleep(on_retry),
            reraise=True,
        )
        return retrying(function)

    async def call_async(
        self,
        function: Callable[[], Awaitable[ResultT]],
        *,
        retry_on: Errors,
        on_retry: OnRetry = _ignore,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> ResultT:
        """Do what `call` does for a function that returns an awaitable; `wait` sleeps so long."""

        async def attempt() -> ResultT:
            # tenacity awaits coroutine functions only, not other callables that return a coroutine.
            return await function()

        retrying = AsyncRetrying(
            retry=_condition(retry_on),
            wait=lambda state: self.wait_seconds(state.attempt_number),
            stop=self._stop(),
            sleep=wait,
            before_sleep=_before_sleep(on_retry),
            reraise=True,
        )
        result: ResultT = await retrying(attempt)
        return result

    def _stop(self) -> stop_any:
        return stop_any(
            stop_never if self.attempts is None else stop_after_attempt(self.attempts),
            stop_never if self.timeout_seconds is None else stop_before_delay(self.timeout_seconds),
        )


def _condition(errors: Errors) -> retry_if_exception:
    if isinstance(errors, type | tuple):
        return retry_if_exception_type(errors)
    return retry_if_exception(errors)


def _error(state: RetryCallState) -> BaseException:
    error = state.outcome.exception() if state.outcome else None
    if error is None:
        raise RuntimeError("no attempt has failed")
    return error


def _before_sleep(on_retry: OnRetry) -> Callable[[RetryCallState], None]:
    def before_sleep(state: RetryCallState) -> None:
        on_retry(Retry(_error(state), state.upcoming_sleep, state.seconds_since_start or 0.0))

    return before_sleep
