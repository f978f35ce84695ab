"""Records that workers publish; Kafka acknowledges them before the worker acknowledges their input.

Records that Kafka does not acknowledge in time are retried for ever, since skipping them would
lose points. Publishing a record twice is harmless: both copies are equal.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import structlog
from aiokafka.errors import KafkaError, KafkaTimeoutError
from faust.exceptions import ProducerSendError

from breakout.contract import Event
from breakout.contract.topics import Topic, partition_of
from breakout.observability import metrics
from breakout.retry import Retry, RetryPolicy
from streams.clickhouse import StoppingError

log = structlog.get_logger(__name__)
ResultT = TypeVar("ResultT")


class _Outgoing(NamedTuple):
    key: bytes
    value: bytes
    partition: int


class _UnacknowledgedError(Exception):
    """Kafka did not acknowledge some records in time."""


class Outbox:
    """Sends events through the Faust app's producer."""

    def __init__(self, app: Any, partitions: int) -> None:
        self._app = app
        self._partitions = partitions
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Make every waiting call raise `StoppingError`."""
        self._stop.set()

    async def send(self, topic: Topic, events: Iterable[tuple[str, Event]]) -> None:
        """Send (key, event) pairs; returns once Kafka has acknowledged all of them."""
        records = [
            _Outgoing(key.encode(), event.to_bytes(), partition_of(key, self._partitions))
            for key, event in events
        ]
        pending = records

        async def attempt() -> None:
            nonlocal pending
            failed = await self._unless_stopped(self._attempt(topic.name, pending))
            # All records of a failed partition, so that they keep their order.
            pending = [record for record in pending if record.partition in failed]
            if pending:
                raise _UnacknowledgedError(next(iter(failed.values())))

        def log_wait(retry: Retry) -> None:
            log.warning(
                "waiting for Kafka",
                topic=topic.name,
                why=str(retry.error),
                retry_in_s=round(retry.wait_seconds, 1),
            )

        async def wait(seconds: float) -> None:
            await self._unless_stopped(asyncio.sleep(seconds))

        if records:
            await RetryPolicy().call_async(
                attempt, retry_on=_UnacknowledgedError, on_retry=log_wait, wait=wait
            )
            metrics.PUBLISHED.labels(topic.name).inc(len(records))

    async def _attempt(self, topic: str, records: Sequence[_Outgoing]) -> dict[int, str]:
        """Send records once; return the error of each partition that rejected any of them.

        Raises errors that a retry does not resolve: record too large, not authorized.
        """
        sent: list[tuple[int, Any]] = []
        errors: list[tuple[int, BaseException]] = []
        for key, value, partition in records:
            try:
                sending = self._app.producer.send(topic, key, value, partition, None, None)
                sent.append((partition, await sending))
            except ProducerSendError as error:
                errors.append((partition, error.__cause__ or error))
        results = await asyncio.gather(*(future for _, future in sent), return_exceptions=True)
        for (partition, _), result in zip(sent, results, strict=True):
            if isinstance(result, BaseException):
                errors.append((partition, result))
        for _, failure in errors:
            if not _is_transient(failure):
                raise failure
        return {partition: str(error) or type(error).__name__ for partition, error in errors}

    async def _unless_stopped(self, waiting: Coroutine[Any, Any, ResultT]) -> ResultT:
        task = asyncio.create_task(waiting)
        stopped = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise StoppingError
            return task.result()
        finally:
            task.cancel()
            stopped.cancel()


def _is_transient(error: BaseException) -> bool:
    """Whether a retry may succeed, perhaps on another node."""
    return isinstance(error, KafkaTimeoutError) or (
        isinstance(error, KafkaError) and bool(error.retriable)
    )
