"""Batches of a stream's records: by size, or by time when few come.

Nothing is acknowledged here: whoever has made a batch durable acknowledges its records.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from breakout.contract import ContractError
from breakout.contract.compacted import COMPACTED, Keyed, check_key, is_tombstone

EventT = TypeVar("EventT")
"""What is kept of a record: the event, or what is made of it."""


@dataclass(frozen=True)
class Record(Generic[EventT]):
    """One record: read, unreadable, or a tombstone, which has neither event nor error."""

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

    @property
    def is_tombstone(self) -> bool:
        """Whether it deletes its key from a compacted topic."""
        return self.event is None and self.error is None


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
    """Yield batches of at most about `max_rows` rows, at most `max_seconds` after their first.

    A batch that nobody takes yet goes on growing up to `max_rows`. One that an assignment of
    partitions cut short is dropped: its records come again, those of the new assignment once.
    """
    filling = _Filling(read, rows_of, assignment, max_rows, max_seconds)
    reading = asyncio.create_task(filling.read_all(stream.noack().events()))
    try:
        while (batch := await filling.take()) is not None:
            yield batch
        await reading
    finally:
        reading.cancel()


class _Filling(Generic[EventT]):
    """The batch that is being gathered, by a task of its own: a wait a record would cost more
    than to read it."""

    def __init__(
        self,
        read: Callable[[str, bytes | None], EventT],
        rows_of: Callable[[EventT], int],
        assignment: Callable[[], int],
        max_rows: int,
        max_seconds: float,
    ) -> None:
        self._read, self._rows_of, self._assignment = read, rows_of, assignment
        self._max_rows, self._max_seconds = max_rows, max_seconds
        self._loop = asyncio.get_running_loop()
        self._batch: Batch[EventT] = Batch()
        self._rows = 0
        self._due = asyncio.Event()
        self._room = asyncio.Event()
        self._ended = False
        self._timer: asyncio.TimerHandle | None = None

    async def read_all(self, records: AsyncIterator[Any]) -> None:
        """Read until the stream ends: what is not taken by then comes again."""
        try:
            async for source in records:
                self._add(_read(source, self._read))
                if self._rows >= self._max_rows:
                    self._due.set()
                    self._room.clear()
                    await self._room.wait()
        finally:
            self._ended = True
            self._due.set()

    async def take(self) -> Batch[EventT] | None:
        """Return the batch when it is full or old enough; None once the stream has ended."""
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
        self._rows += 1 if record.event is None else self._rows_of(record.event)

    def _begin(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._batch, self._rows = Batch(), 0
        self._due.clear()
        self._room.set()


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
