"""Batches of a stream's records: by size, or by time when few come.

Nothing is acknowledged here: whoever has made a batch durable acknowledges its records.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from breakout.contract import ContractError, Event

EventT = TypeVar("EventT", bound=Event)


@dataclass(frozen=True)
class Record(Generic[EventT]):
    """One record, read or unreadable."""

    source: Any
    """The Faust event: its message, and the way to acknowledge it."""
    event: EventT | None
    error: ContractError | None

    @property
    def partition(self) -> int:
        """Number of the partition it came from."""
        return int(self.source.message.partition)

    @property
    def topic(self) -> str:
        """Name of the topic it came from."""
        return str(self.source.message.topic)


@dataclass
class Batch(Generic[EventT]):
    """Records in the order of the log, partition by partition."""

    records: list[Record[EventT]] = field(default_factory=list)
    started: float = 0.0
    assignment: int = 0
    """Number of the partition assignment under which its first record came."""

    def acknowledge(self) -> None:
        """Let Kafka forget these records: what they say is durable."""
        for record in self.records:
            record.source.ack()

    @property
    def oldest_timestamp(self) -> float | None:
        """Kafka's timestamp of its oldest record, Unix seconds."""
        stamps = [record.source.message.timestamp for record in self.records]
        return min((stamp for stamp in stamps if stamp is not None), default=None)


async def batches(
    stream: Any,
    read: Callable[[str, bytes | None], EventT],
    rows_of: Callable[[EventT], int],
    *,
    assignment: Callable[[], int],
    max_rows: int,
    max_seconds: float,
) -> AsyncIterator[Batch[EventT]]:
    """Yield batches of at most about `max_rows` rows, at most `max_seconds` after their first."""
    records = stream.noack().events().__aiter__()
    loop = asyncio.get_running_loop()
    batch: Batch[EventT] = Batch()
    rows = 0
    coming = asyncio.ensure_future(anext(records))
    try:
        while True:
            left = batch.started + max_seconds - loop.time() if batch.records else None
            done, _ = await asyncio.wait({coming}, timeout=left if left is None else max(left, 0))
            if done:
                try:
                    source = coming.result()
                except StopAsyncIteration:
                    return  # the worker stops: what is not written comes again
                coming = asyncio.ensure_future(anext(records))
                if not batch.records:
                    batch.started, batch.assignment = loop.time(), assignment()
                record = _read(source, read)
                batch.records.append(record)
                rows += 1 if record.event is None else rows_of(record.event)
            if batch.records and (rows >= max_rows or loop.time() >= batch.started + max_seconds):
                yield batch
                batch, rows = Batch(), 0
    finally:
        coming.cancel()


def _read(source: Any, read: Callable[[str, bytes | None], EventT]) -> Record[EventT]:
    try:
        return Record(source, read(source.message.topic, source.message.value), None)
    except ContractError as error:
        return Record(source, None, error)
