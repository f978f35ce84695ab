"""Starts and stops aiokafka's clients within a time limit, without losing a cancellation.

While they stop, aiokafka's clients suppress the `CancelledError` of tasks they await, and with it
their caller's own.
"""

from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from aiokafka.errors import KafkaError

from breakout.tasks import in_own_task, uninterrupted

log = structlog.get_logger(__name__)

STOP_SECONDS = 6.0


async def start_client(client: Any, *, within: float | None = None) -> None:
    """Start a consumer or producer; stop it if that fails.

    Raises what its `start` raises, and `TimeoutError` after `within` seconds.
    """
    try:
        await in_own_task(client.start(), within=within)
    except BaseException:
        await stop_client(client.stop)
        raise


async def stop_client(stop: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Await a client's stop method; a cancellation is raised after it.

    A client that fails to stop, or takes longer than `STOP_SECONDS`, is abandoned and logged.
    """
    await uninterrupted(_stop(stop))


async def _stop(stop: Callable[[], Coroutine[Any, Any, None]]) -> None:
    try:
        await in_own_task(stop(), within=STOP_SECONDS)
    except (KafkaError, OSError, TimeoutError) as error:
        log.warning(
            "a Kafka client did not stop, continuing without it",
            reason=str(error) or type(error).__name__,
        )
