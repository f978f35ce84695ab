"""Runs a collector for ever: when it is due, never overlapping itself.

A run that was missed, since nobody ran at the time, is caught up once; a restart after a run that
was not missed runs nothing.
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
from collectors.http.client import SourceError
from collectors.scheduling.cadence import Cadence
from collectors.scheduling.job import EXPECTED, Job, Outcome
from collectors.scheduling.report import log_outcome

log = structlog.get_logger(__name__)

State = Literal["standby", "running", "idle", "waiting", "stopped"]
OnState = Callable[[State, str | None], Awaitable[None]]
"""Told what the collector is doing, and its error when it has just failed."""
OnRun = Callable[[Outcome], Awaitable[None]]
"""Told what a run published."""

_FIRST_RETRY_SECONDS = 5.0
_LONGEST_SLEEP_SECONDS = 60.0
"""So that a machine that slept sees soon what time it is."""
_CATCH_UP_SECONDS = 5.0


async def _tell_nobody(_state: State, _error: str | None) -> None:
    pass


async def run_for_ever(
    job: Job,
    *,
    last: RunRecord | None = None,
    on_run: OnRun,
    on_state: OnState = _tell_nobody,
) -> None:
    """Run a job whenever it is due, until cancelled; `last` is its latest run, if it ever ran.

    A run that takes longer than the period makes the next one wait for the due moment after. A
    failed run is tried again with growing waits, not before the source said that it answers
    again, at the latest after a period.
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
            except Exception as error:  # whatever it is, the next run may go well
                failures += 1
                wait = wait_after(error, failures, job.cadence.period_seconds)
                due = time.time() + wait
                log.error(
                    "collecting failed, trying again",
                    source=job.name,
                    reason=str(error),
                    wait_seconds=round(wait, 1),
                    exc_info=not isinstance(error, EXPECTED),
                )
                await on_state("waiting", f"{type(error).__name__}: {error}")
            else:
                failures = 0
                log_outcome(outcome)
                if outcome.complete:
                    job.last_run = outcome.observed_at
                due = _late(job.cadence, job.cadence.next_due(time.time()))
                await on_state("idle", None)
    finally:
        await on_state("stopped", None)


def first_run(cadence: Cadence, last: RunRecord | None, now: float) -> float:
    """Return when to run first, Unix seconds: at once without a run, soon after a missed one."""
    if last is None:
        return now
    if last.observed_at.timestamp() < cadence.latest_due(now):
        # Others that were down as well come back in the same moment.
        return now + random.uniform(0, min(_CATCH_UP_SECONDS, cadence.jitter_seconds))  # noqa: S311
    return _late(cadence, cadence.next_due(now))


def retry_wait(failures: int, period: float) -> float:
    """Return seconds to wait after so many failures in a row: doubling, with jitter."""
    policy = RetryPolicy(first_wait_seconds=_FIRST_RETRY_SECONDS, max_wait_seconds=period)
    return policy.wait_seconds(failures)


def wait_after(error: Exception, failures: int, period: float) -> float:
    """Return seconds to wait after a failure: as long as the source asks for, a period at most."""
    asked = error.retry_after if isinstance(error, SourceError) else 0.0
    return max(retry_wait(failures, period), min(asked, period))


def _late(cadence: Cadence, due: float) -> float:
    return due + random.uniform(0, cadence.jitter_seconds)  # noqa: S311


async def _sleep_until(moment: float) -> None:
    while (left := moment - time.time()) > 0:  # noqa: ASYNC110 - time has no event
        await asyncio.sleep(min(left, _LONGEST_SLEEP_SECONDS))
