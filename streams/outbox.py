"""Records the workers write: each is acknowledged by Kafka before its cause is.

What Kafka does not acknowledge in time is sent again for ever, since skipping would lose points;
a record that is published twice says the same twice.
"""

import asyncio
import base64
import random
from collections.abc import Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

import structlog
from aiokafka.errors import KafkaError, KafkaTimeoutError
from faust.exceptions import ProducerSendError

from breakout.contract import DeadLetter, Event
from breakout.contract.topics import DEAD_LETTERS, Topic, partition_of
from breakout.observability import metrics
from streams.batches import Record
from streams.clickhouse import Stopping

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")

LARGEST_KEPT = 10_000_000
"""Bytes of a record that its dead letter holds at most: more would not fit in a request."""


class _Written(NamedTuple):
    key: bytes
    value: bytes
    partition: int


class Outbox:
    """Sends events through the Faust app's producer."""

    def __init__(self, app: Any, partitions: int) -> None:
        self._app = app
        self._partitions = partitions
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Make every waiting call raise `Stopping`."""
        self._stop.set()

    async def send(self, topic: Topic, events: Iterable[tuple[str, Event]]) -> None:
        """Send (key, event) pairs and return when Kafka has acknowledged all of them."""
        written = [
            _Written(key.encode(), event.to_bytes(), partition_of(key, self._partitions))
            for key, event in events
        ]
        left, pause = written, 0.1
        while left:
            failed = await self._unless_stopped(self._attempt(topic.name, left))
            # All of a partition, so that its records keep their order.
            left = [one for one in left if one.partition in failed]
            if left:
                log.warning(
                    "waiting for Kafka",
                    topic=topic.name,
                    why=next(iter(failed.values())),
                    again_in_s=round(pause, 1),
                )
                jitter = random.uniform(0.5, 1.0)  # noqa: S311
                await self._unless_stopped(asyncio.sleep(pause * jitter))
                pause = min(pause * 2, 10.0)
        if written:
            metrics.PUBLISHED.labels(topic.name).inc(len(written))

    async def _attempt(self, topic: str, records: Sequence[_Written]) -> dict[int, str]:
        """Send records once; return why of the partitions that did not take all of theirs.

        Raises what would be answered again: a record too large, no right to write.
        """
        sent: list[tuple[int, Any]] = []
        errors: list[tuple[int, BaseException]] = []
        for key, value, partition in records:
            try:
                sending = self._app.producer.send(topic, key, value, partition, None, None)
                sent.append((partition, await sending))
            except ProducerSendError as error:
                errors.append((partition, error.__cause__ or error))
        answers = await asyncio.gather(*(one for _, one in sent), return_exceptions=True)
        for (partition, _), answer in zip(sent, answers, strict=True):
            if isinstance(answer, BaseException):
                errors.append((partition, answer))
        for _, failure in errors:
            if not _passes(failure):
                raise failure
        return {partition: str(error) or type(error).__name__ for partition, error in errors}

    async def _unless_stopped(self, waiting: Coroutine[Any, Any, Answer]) -> Answer:
        task = asyncio.create_task(waiting)
        stopped = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Stopping
            return task.result()
        finally:
            task.cancel()
            stopped.cancel()

    async def bury(self, component: str, records: Iterable[Record[Any]]) -> list[DeadLetter]:
        """Send unreadable records to the dead-letter topic; returns what was sent."""
        letters = []
        for record in records:
            message = record.source.message
            log.error(
                "unreadable record goes to the dead-letter topic",
                topic=message.topic,
                partition=message.partition,
                offset=message.offset,
                why=str(record.error),
            )
            metrics.DEAD_LETTERS.labels(message.topic).inc()
            letters.append(dead_letter(component, message, str(record.error)))
        await self.send(DEAD_LETTERS, [(letter.topic, letter) for letter in letters])
        return letters


def _passes(error: BaseException) -> bool:
    """Whether the same record may be taken later, perhaps by another node."""
    return isinstance(error, KafkaTimeoutError) or (
        isinstance(error, KafkaError) and bool(error.retriable)
    )


def dead_letter(component: str, message: Any, error: str) -> DeadLetter:
    """Return the dead letter of a Kafka message."""
    value = message.value or b""
    if len(value) > LARGEST_KEPT:
        error += f" (of its {len(value):,} bytes, the first {LARGEST_KEPT:,} are kept here)"
    return DeadLetter(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        component=component,
        error=error,
        failed_at=datetime.now(UTC),
        key_base64=None if message.key is None else _base64(message.key),
        value_base64=_base64(value[:LARGEST_KEPT]),
    )


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
