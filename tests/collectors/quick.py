"""RequestPolicy for tests: as the program's own, with shorter waits."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from breakout.retry import RetryPolicy
from collectors.http.client import RequestPolicy

QUICK = RequestPolicy(
    connect=2.0,
    read=10.0,
    total=20.0,
    retries=RetryPolicy(0.01, 0.02, jitter=1.0, attempts=3),
    longest_limit_wait=5.0,
    limited_attempts=4,
    concurrency=4,
)

HASTY = replace(QUICK, read=0.4, total=1.0)
"""For responses that stall."""


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for a condition, failing when it does not come."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what it waits for has no event
            await asyncio.sleep(0.01)
