"""Runs a collector for ever: aligned to the wall clock, never overlapping itself."""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from typing import Literal

import structlog

from collectors.job import EXPECTED, Job
from collectors.report import log_outcome

log = structlog.get_logger(__name__)

State = Literal["running", "idle", "waiting", "stopped"]
OnState = Callable[[State, str | None], Awaitable[None]]
"""Told what the collector is doing, and its error when it has just failed."""

_MOST_JITTER_SECONDS = 30.0
_FIRST_RETRY_SECONDS = 5.0


async def _tell_nobody(_state: State, _error: str | None) -> None:
    pass


async def run_for_ever(job: Job, *, on_state: OnState = _tell_nobody) -> None:
    """Run a job now and then at every whole interval of the wall clock, until cancelled.

    A run that takes longer than the interval makes the next one wait for the interval after. A
    failed run is tried again with growing waits, at the latest at the next interval.
    """
    failures = 0
    try:
        while True:
            await on_state("running", None)
            try:
                log_outcome(await job.run())
            except Exception as error:  # whatever it is, the next run may go well
                failures += 1
                wait = retry_wait(failures, job.interval_seconds)
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
                wait = seconds_to_next(time.time(), job.interval_seconds)
                await on_state("idle", None)
            await asyncio.sleep(wait)
    finally:
        await on_state("stopped", None)


def seconds_to_next(now: float, interval: float) -> float:
    """Return seconds from `now` (Unix time) to the next whole interval, a little late.

    Up to a twentieth of the interval, and 30 s, so that not all the world asks at once.
    """
    following = (math.floor(now / interval) + 1) * interval
    return following - now + random.uniform(0, min(interval / 20, _MOST_JITTER_SECONDS))  # noqa: S311


def retry_wait(failures: int, interval: float) -> float:
    """Return seconds to wait after so many failures in a row: doubling, with jitter."""
    bound = min(interval, _FIRST_RETRY_SECONDS * 2 ** min(failures - 1, 20))
    return random.uniform(bound / 2, bound)  # noqa: S311
