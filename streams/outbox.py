"""Records the workers write: each is acknowledged by Kafka before its cause is."""

import asyncio
import base64
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import structlog

from breakout import metrics
from breakout.contract import DeadLetter, Event
from breakout.contract.topics import DEAD_LETTERS, Topic, partition_of
from streams.batches import Record

log = structlog.get_logger(__name__)

LARGEST_KEPT = 10_000_000
"""Bytes of a record that its dead letter holds at most: more would not fit in a request."""


class Outbox:
    """Sends events through the Faust app's producer."""

    def __init__(self, app: Any, partitions: int) -> None:
        self._app = app
        self._partitions = partitions

    async def send(self, topic: Topic, events: Iterable[tuple[str, Event]]) -> None:
        """Send (key, event) pairs and return when Kafka has acknowledged all of them."""
        pending = [
            await self._app.producer.send(
                topic.name,
                key.encode(),
                event.to_bytes(),
                partition_of(key, self._partitions),
                None,
                None,
            )
            for key, event in events
        ]
        if pending:
            await asyncio.gather(*pending)
            metrics.PUBLISHED.labels(topic.name).inc(len(pending))

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
