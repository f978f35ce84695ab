"""Base of all processors: read batches, write their rows, acknowledge last.

While one batch is written, the next is read and computed; writes never overlap.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Generic, cast

import structlog

from breakout.contract import read_event
from breakout.contract.topics import Topic
from breakout.observability import metrics
from breakout.settings import Settings
from streams.batches import Batch, EventT, batches
from streams.clickhouse import StoppingError, WorkerClickHouse
from streams.dead_letter_guard import DeadLetterGuard
from streams.observed_times import check_observed_times
from streams.outbox import Outbox

log = structlog.get_logger(__name__)


class Processor(ABC, Generic[EventT]):
    """A stream processor: one Faust agent that reads one or more topics."""

    name: ClassVar[str]
    topics: ClassVar[tuple[Topic, ...]]

    def __init__(self, settings: Settings, outbox: Outbox, clickhouse: WorkerClickHouse) -> None:
        self.settings = settings
        self.outbox = outbox
        self.clickhouse = clickhouse
        self._dead_letter_guard = DeadLetterGuard(
            self.name, settings.dead_letter_limit, outbox, clickhouse
        )
        self._writing: asyncio.Task[None] | None = None
        self._assignments = 0
        self._events = {topic.name: topic.event for topic in self.topics}

    @abstractmethod
    def row_count(self, event: EventT) -> int:
        """Return how many rows an event stands for."""

    @abstractmethod
    async def process(self, batch: Batch[EventT]) -> None:
        """Process a batch and pass its rows to `write`."""

    def read(self, topic: str, value: bytes | None) -> EventT:
        """Read one record's value. Raises `ContractError`."""
        event = read_event(self._events[topic], value)
        check_observed_times(event)
        return cast("EventT", event)

    def reassigned(self) -> None:
        """Start over after a rebalance: Kafka delivers unacknowledged records again."""
        self._assignments += 1

    def assigned(self, partitions: Iterable[Any]) -> None:
        """Count the partitions assigned to it."""
        owned = {one.partition for one in partitions if one.topic in self._events}
        metrics.PARTITIONS_OWNED.labels(self.name).set(len(owned))

    def stop(self) -> None:
        """Make calls that wait for ClickHouse or Kafka raise `StoppingError`."""
        self.clickhouse.stop()
        self.outbox.stop()

    async def run(self, stream: Any) -> None:
        """Process a stream for ever."""
        ready: asyncio.Queue[Batch[EventT] | None] = asyncio.Queue(maxsize=1)
        gathering = asyncio.create_task(self._gather(stream, ready))
        try:
            with self.until_stopped():
                while (batch := await ready.get()) is not None:
                    if batch.assignment != self._assignments:
                        continue  # Kafka delivers its records again, here or to another worker
                    await self._dead_letter_guard.reject_unreadable(batch.records)
                    await self.process(batch)
                await gathering
        finally:
            gathering.cancel()
            # Faust may cancel the agent: the write in progress still has to see `StoppingError`.
            with self.until_stopped():
                await self.writing_done()

    @contextmanager
    def until_stopped(self) -> Iterator[None]:
        """End quietly on `StoppingError`: Kafka delivers unwritten records again."""
        try:
            yield
        except StoppingError:
            log.info("stopped while waiting for a server", processor=self.name)

    async def _gather(self, stream: Any, ready: asyncio.Queue[Batch[EventT] | None]) -> None:
        """Queue batches while earlier ones are processed; None ends the queue."""
        try:
            async for batch in batches(
                stream,
                self.read,
                self.row_count,
                assignment=lambda: self._assignments,
                max_rows=self.settings.batch_rows,
                max_seconds=self.settings.batch_seconds,
            ):
                await ready.put(batch)
        finally:
            await ready.put(None)

    async def write(
        self, batch: Batch[EventT], write: Callable[..., Awaitable[None]], *arguments: Any
    ) -> None:
        """Await the previous write, then start `write(*arguments)` in the background.

        The batch is acknowledged once it is written.
        """
        await self.writing_done()
        self._writing = asyncio.create_task(self._finish(batch, write, *arguments))

    async def writing_done(self) -> None:
        """Wait for the write in progress, if any; raises its exception."""
        writing, self._writing = self._writing, None
        if writing is not None:
            await writing

    async def _finish(
        self, batch: Batch[EventT], write: Callable[..., Awaitable[None]], *arguments: Any
    ) -> None:
        await write(*arguments)
        if batch.assignment != self._assignments:
            return  # Kafka delivers its records again, here or to another worker
        batch.acknowledge()
        seconds = asyncio.get_running_loop().time() - batch.started
        metrics.BATCH_SECONDS.labels(self.name).observe(seconds)
        if batch.oldest_timestamp is not None:
            latency = max(time.time() - batch.oldest_timestamp, 0.0)
            metrics.QUERYABLE_LATENCY.labels(self.name).observe(latency)
        for topic, count in Counter(record.topic for record in batch.records).items():
            metrics.RECORDS.labels(topic).inc(count)
        tombstones = Counter(record.topic for record in batch.records if record.is_tombstone)
        for topic, count in tombstones.items():
            metrics.TOMBSTONES.labels(topic).inc(count)
            log.info("keys deleted from the topic; their rows stay", topic=topic, keys=count)
