"""Runs a collector whenever it is due, one run at a time.

Missed runs are caught up by a single one; a restart without a missed run runs nothing.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Literal

import structlog

from breakout.contract import RunRecord
from breakout.observability import metrics
from breakout.retry import RetryPolicy
from collectors.http.errors import SourceError
from collectors.scheduling.cadence import Cadence
from collectors.scheduling.job import EXPECTED_ERRORS, Job
from collectors.scheduling.outcome import Outcome
from collectors.scheduling.report import log_outcome

log = structlog.get_logger(__name__)

State = Literal["standby", "running", "idle", "waiting", "stopped"]
OnState = Callable[[State, str | None], Awaitable[None]]
"""Called with the collector's state, and the error of a run that failed."""
OnRun = Callable[[Outcome], Awaitable[None]]
"""Called with the outcome of a run."""

_FIRST_RETRY_SECONDS = 5.0
_LONGEST_SLEEP_SECONDS = 60.0
"""After suspend, the clock is read again within this time."""
_CATCH_UP_SECONDS = 5.0


async def _ignore_state(_state: State, _error: str | None) -> None:
    pass


async def run_for_ever(
    job: Job,
    *,
    last: RunRecord | None = None,
    on_run: OnRun,
    on_state: OnState = _ignore_state,
) -> None:
    """Run a job whenever it is due, until cancelled; `last` is its latest run, if any.

    After a run that takes longer than the period, the next one waits for the following due time. A
    failed run is retried with exponential backoff, not before the time the source demands, and at
    the latest after a period.
    """
    failures = 0
    due = first_run(job.cadence, last, time.time())
    job.last_run = last.complete_at if last else None
    try:
        while True:
            metrics.COLLECTOR_NEXT_RUN.labels(job.name).set(due)
            await _sleep_until(due)
            await on_state("running", None)
            try:
                outcome = await job.run()
                await on_run(outcome)
            except Exception as error:  # the next run may succeed
                failures += 1
                wait = wait_after(error, failures, job.cadence.period_seconds)
                due = time.time() + wait
                log.error(
                    "run failed, retrying",
                    source=job.name,
                    reason=str(error),
                    wait_seconds=round(wait, 1),
                    exc_info=not isinstance(error, EXPECTED_ERRORS),
                )
                await on_state("waiting", f"{type(error).__name__}: {error}")
            else:
                failures = 0
                log_outcome(outcome)
                if outcome.complete:
                    job.last_run = outcome.observed_at
                due = _with_jitter(job.cadence, job.cadence.next_due(time.time()))
                await on_state("idle", None)
    finally:
        await on_state("stopped", None)


def first_run(cadence: Cadence, last: RunRecord | None, now: float) -> float:
    """Return when to run first, Unix seconds: now without a run, soon after a missed one."""
    if last is None:
        return now
    if last.observed_at.timestamp() < cadence.latest_due(now):
        # Other instances may restart at the same time.
        return now + random.uniform(0, min(_CATCH_UP_SECONDS, cadence.jitter_seconds))  # noqa: S311
    return _with_jitter(cadence, cadence.next_due(now))


def retry_wait(failures: int, period: float) -> float:
    """Return seconds to wait after consecutive failures: doubling, with jitter."""
    policy = RetryPolicy(first_wait_seconds=_FIRST_RETRY_SECONDS, max_wait_seconds=period)
    return policy.wait_seconds(failures)


def wait_after(error: Exception, failures: int, period: float) -> float:
    """Return seconds to wait after a failure: what the source demands, at most a period."""
    demanded = error.retry_after if isinstance(error, SourceError) else 0.0
    return max(retry_wait(failures, period), min(demanded, period))


def _with_jitter(cadence: Cadence, due: float) -> float:
    return due + random.uniform(0, cadence.jitter_seconds)  # noqa: S311


async def _sleep_until(due: float) -> None:
    while (left := due - time.time()) > 0:  # noqa: ASYNC110 - time has no event
        await asyncio.sleep(min(left, _LONGEST_SLEEP_SECONDS))
