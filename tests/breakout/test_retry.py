"""The retry policy: waits, limits, and how a stop or a cancellation ends it."""

import asyncio
import threading
from collections.abc import Callable
from itertools import chain, repeat

import pytest

from breakout.retry import Retry, RetryPolicy

FAST = RetryPolicy(first_wait_seconds=0.001, max_wait_seconds=0.002)


class UnavailableError(Exception):
    """A transient failure, with the seconds the server asked to wait."""

    def __init__(self, retry_after: float | None = None) -> None:
        super().__init__("unavailable")
        self.retry_after = retry_after


def failing(*errors: Exception) -> Callable[[], str]:
    """Return a function that raises each error once, then returns."""
    outcomes = chain(errors, repeat(None))

    def function() -> str:
        error = next(outcomes)
        if error:
            raise error
        return "done"

    return function


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_wait_doubles_up_to_maximum_within_jitter(jitter: float) -> None:
    policy = RetryPolicy(first_wait_seconds=0.5, max_wait_seconds=30.0, jitter=jitter)
    for failures, bound in [(1, 0.5), (2, 1.0), (3, 2.0), (7, 30.0), (10_000, 30.0)]:
        waits = [policy.wait_seconds(failures) for _ in range(50)]
        assert all(bound * (1 - jitter) <= wait <= bound for wait in waits)
        assert (len(set(waits)) > 1) == (jitter > 0)


def test_result_after_retries_with_each_reported() -> None:
    retries: list[Retry] = []
    result = FAST.call(
        failing(UnavailableError(), UnavailableError()),
        retry_on=UnavailableError,
        on_retry=retries.append,
    )
    assert result == "done"
    assert [type(retry.error) for retry in retries] == [UnavailableError] * 2
    assert all(0 < retry.wait_seconds <= 0.002 for retry in retries)


def test_last_error_is_raised_after_attempts() -> None:
    errors = [UnavailableError() for _ in range(5)]
    policy = RetryPolicy(first_wait_seconds=0.001, attempts=3)
    with pytest.raises(UnavailableError) as raised:
        policy.call(failing(*errors), retry_on=UnavailableError)
    assert raised.value is errors[2]


def test_other_errors_are_not_retried() -> None:
    with pytest.raises(KeyError):
        FAST.call(failing(KeyError("x"), UnavailableError()), retry_on=UnavailableError)


def test_no_wait_passes_timeout() -> None:
    policy = RetryPolicy(first_wait_seconds=3600, max_wait_seconds=3600, timeout_seconds=60)
    with pytest.raises(UnavailableError):
        policy.call(failing(UnavailableError()), retry_on=UnavailableError)


def test_stop_event_ends_wait() -> None:
    stop = threading.Event()
    policy = RetryPolicy(first_wait_seconds=3600, max_wait_seconds=3600)
    with pytest.raises(UnavailableError):
        policy.call(
            failing(UnavailableError(), UnavailableError()),
            retry_on=UnavailableError,
            on_retry=lambda _retry: stop.set(),
            stop=stop,
        )


@pytest.mark.parametrize(("asked", "waited"), [(None, 2.0), (0.5, 0.5), (-1.0, 0.0), (99.0, 10.0)])
def test_retry_after_replaces_backoff(asked: float | None, waited: float) -> None:
    stop = threading.Event()
    retries: list[Retry] = []

    def report(retry: Retry) -> None:
        retries.append(retry)
        stop.set()

    RetryPolicy(first_wait_seconds=2.0, max_wait_seconds=10.0, jitter=0.0).call(
        failing(UnavailableError(asked)),
        retry_on=UnavailableError,
        retry_after=lambda error: getattr(error, "retry_after", None),
        on_retry=report,
        stop=stop,
    )
    assert [retry.wait_seconds for retry in retries] == [waited]


async def test_awaitable_of_any_function_is_retried() -> None:
    function = failing(UnavailableError())

    async def request() -> str:
        return function()

    assert await FAST.call_async(lambda: request(), retry_on=UnavailableError) == "done"  # noqa: PLW0108


async def test_cancellation_ends_async_wait() -> None:
    waiting = asyncio.Event()

    async def function() -> None:
        raise UnavailableError

    policy = RetryPolicy(first_wait_seconds=3600, max_wait_seconds=3600)
    task = asyncio.create_task(
        policy.call_async(
            function, retry_on=UnavailableError, on_retry=lambda _retry: waiting.set()
        )
    )
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancelled_attempt_is_not_retried() -> None:
    started = asyncio.Event()

    async def function() -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(FAST.call_async(function, retry_on=Exception))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_zero_attempts_are_rejected() -> None:
    with pytest.raises(ValueError, match="attempts must be at least 1, got 0"):
        RetryPolicy(attempts=0)
