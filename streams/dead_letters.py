"""Dead letters: unreadable records, sent to the dead-letter topic and listed in ClickHouse."""

import base64
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import structlog

from breakout.contract import DeadLetter
from breakout.contract.topics import DEAD_LETTERS
from breakout.observability import metrics
from streams.arrow import TEXT, TIMESTAMP, table_of
from streams.batches import Record
from streams.outbox import Outbox

log = structlog.get_logger(__name__)

MAX_VALUE_BYTES = 10_000_000
"""Bytes of a record that its dead letter holds: more would not fit into a produce request."""

_SCHEMA = {
    "topic": TEXT,
    "partition": pa.uint32(),
    "offset": pa.int64(),
    "component": TEXT,
    "error": TEXT,
    "failed_at": TIMESTAMP,
}


async def send_dead_letters(
    outbox: Outbox, component: str, records: Iterable[Record[Any]]
) -> list[DeadLetter]:
    """Send unreadable records to the dead-letter topic; returns the dead letters sent."""
    letters = []
    for record in records:
        message = record.source.message
        log.error(
            "unreadable record sent to the dead-letter topic",
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            why=str(record.error),
        )
        metrics.DEAD_LETTERS.labels(message.topic).inc()
        letters.append(_dead_letter(component, message, str(record.error)))
    await outbox.send(DEAD_LETTERS, [(letter.topic, letter) for letter in letters])
    return letters


def dead_letter_rows(letters: Sequence[DeadLetter]) -> pa.Table:
    """Return rows of `dead_letters`."""
    return table_of(
        _SCHEMA, ([getattr(letter, column) for column in _SCHEMA] for letter in letters)
    )


def _dead_letter(component: str, message: Any, error: str) -> DeadLetter:
    value = message.value or b""
    if len(value) > MAX_VALUE_BYTES:
        error += f" (the value has {len(value):,} bytes; the first {MAX_VALUE_BYTES:,} are stored)"
    return DeadLetter(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        component=component,
        error=error,
        failed_at=datetime.now(UTC),
        key_base64=None if message.key is None else _base64(message.key),
        value_base64=_base64(value[:MAX_VALUE_BYTES]),
    )


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
