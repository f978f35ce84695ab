"""Batches of a stream's records, by size or by age.

The caller acknowledges a batch once its rows are durable.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from breakout.contract import ContractError
from breakout.contract.compacted import COMPACTED, Keyed, check_key, is_tombstone

EventT = TypeVar("EventT")
"""The decoded value of a record: its event, or columns made of it."""
KeyT = TypeVar("KeyT", bound=Hashable)


@dataclass(frozen=True)
class Record(Generic[EventT]):
    """One record: an event, an error, or neither (a tombstone)."""

    source: Any
    """The Faust event: message and acknowledgement."""
    event: EventT | None
    error: ContractError | None

    @property
    def partition(self) -> int:
        """Partition number."""
        return int(self.source.message.partition)

    @property
    def topic(self) -> str:
        """Topic name."""
        return str(self.source.message.topic)

    @property
    def is_tombstone(self) -> bool:
        """Whether it deletes its key from a compacted topic."""
        return self.event is None and self.error is None


@dataclass
class Batch(Generic[EventT]):
    """Records, within a partition in the order of the log."""

    records: list[Record[EventT]] = field(default_factory=list)
    started: float = 0.0
    assignment: int = 0
    """Number of the partition assignment that its records belong to."""

    def by(self, key: Callable[[EventT], KeyT]) -> dict[KeyT, list[EventT]]:
        """Return the events grouped by a key, within a group in the order of the log."""
        groups: dict[KeyT, list[EventT]] = {}
        for record in self.records:
            if record.event is not None:
                groups.setdefault(key(record.event), []).append(record.event)
        return groups

    def acknowledge(self) -> None:
        """Acknowledge all records, once their rows are durable."""
        for record in self.records:
            record.source.ack()

    @property
    def oldest_timestamp(self) -> float | None:
        """Kafka's timestamp of the oldest record, Unix seconds."""
        stamps = [record.source.message.timestamp for record in self.records]
        return min((stamp for stamp in stamps if stamp is not None), default=None)


async def batches(
    stream: Any,
    read: Callable[[str, bytes | None], EventT],
    row_count: Callable[[EventT], int],
    *,
    assignment: Callable[[], int],
    max_rows: int,
    max_seconds: float,
) -> AsyncIterator[Batch[EventT]]:
    """Yield batches of about `max_rows` rows, or as old as `max_seconds`.

    A due batch grows up to `max_rows` until the caller takes it. A new partition assignment drops
    the batch begun under the old one: Kafka delivers its records again.
    """
    builder = _BatchBuilder(read, row_count, assignment, max_rows, max_seconds)
    reading = asyncio.create_task(builder.read_all(stream.noack().events()))
    try:
        while (batch := await builder.take()) is not None:
            yield batch
        await reading
    finally:
        reading.cancel()


class _BatchBuilder(Generic[EventT]):
    """Builds batches in a separate task: to switch tasks for each record costs more than reading
    it."""

    def __init__(
        self,
        read: Callable[[str, bytes | None], EventT],
        row_count: Callable[[EventT], int],
        assignment: Callable[[], int],
        max_rows: int,
        max_seconds: float,
    ) -> None:
        self._read, self._row_count, self._assignment = read, row_count, assignment
        self._max_rows, self._max_seconds = max_rows, max_seconds
        self._loop = asyncio.get_running_loop()
        self._batch: Batch[EventT] = Batch()
        self._rows = 0
        self._due = asyncio.Event()
        self._has_room = asyncio.Event()
        self._ended = False
        self._timer: asyncio.TimerHandle | None = None

    async def read_all(self, records: AsyncIterator[Any]) -> None:
        """Read until the stream ends; Kafka delivers records again that are in no batch by then."""
        try:
            async for source in records:
                self._add(_read(source, self._read))
                if self._rows >= self._max_rows:
                    self._due.set()
                    self._has_room.clear()
                    await self._has_room.wait()
        finally:
            self._ended = True
            self._due.set()

    async def take(self) -> Batch[EventT] | None:
        """Return the batch once it is full or old enough; None after the end of the stream."""
        await self._due.wait()
        if self._ended:
            return None
        batch = self._batch
        self._begin()
        return batch

    def _add(self, record: Record[EventT]) -> None:
        assignment = self._assignment()
        if self._batch.records and self._batch.assignment != assignment:
            self._begin()
        if not self._batch.records:
            self._batch.started, self._batch.assignment = self._loop.time(), assignment
            self._timer = self._loop.call_later(self._max_seconds, self._due.set)
        self._batch.records.append(record)
        self._rows += 1 if record.event is None else self._row_count(record.event)

    def _begin(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._batch, self._rows = Batch(), 0
        self._due.clear()
        self._has_room.set()


def _read(source: Any, read: Callable[[str, bytes | None], EventT]) -> Record[EventT]:
    message = source.message
    topic, key, value = message.topic, message.key, message.value
    if is_tombstone(topic, key, value):
        return Record(source, None, None)
    try:
        event = read(topic, value)
        if topic in COMPACTED:
            check_key(topic, key, cast("Keyed", event))
    except ContractError as error:
        return Record(source, None, error)
    return Record(source, event, None)
