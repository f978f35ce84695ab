"""Starts and stops aiokafka's clients within a limit, and without losing a cancellation.

While they stop they suppress `CancelledError` of tasks that they await, and with it that of their
caller, who then goes on.
"""

from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from aiokafka.errors import KafkaError

from breakout.tasks import in_own_task, uninterrupted

log = structlog.get_logger(__name__)

STOP_SECONDS = 6.0


async def start_client(client: Any, *, within: float | None = None) -> None:
    """Start a consumer or producer, and stop one that does not start.

    Raises what its start raises, `TimeoutError` after `within` seconds.
    """
    try:
        await in_own_task(client.start(), within=within)
    except BaseException:
        await stop_client(client.stop)
        raise


async def stop_client(stop: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Stop a client by its method for that; a cancellation is raised when it has stopped.

    One that fails, or has not stopped after `STOP_SECONDS`, is given up with a log line.
    """
    await uninterrupted(_stop(stop))


async def _stop(stop: Callable[[], Coroutine[Any, Any, None]]) -> None:
    try:
        await in_own_task(stop(), within=STOP_SECONDS)
    except (KafkaError, OSError, TimeoutError) as error:
        log.warning(
            "a Kafka client did not stop, going on without it",
            reason=str(error) or type(error).__name__,
        )
