"""What all processors share: batches in, rows out, acknowledgement last.

While one batch is written, the next is gathered and computed; writes never overlap.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Generic

import structlog

from breakout.observability import metrics
from breakout.settings import Settings
from streams.batches import Batch, EventT, batches
from streams.clickhouse import Stopping, WorkerClickHouse
from streams.dead_letter_guard import Burial
from streams.outbox import Outbox

log = structlog.get_logger(__name__)


class Processor(ABC, Generic[EventT]):
    """A stream processor whose state lives in ClickHouse."""

    name: ClassVar[str]
    topics: ClassVar[tuple[str, ...]]
    """What it reads, all in one agent."""

    def __init__(self, settings: Settings, outbox: Outbox, clickhouse: WorkerClickHouse) -> None:
        self.settings = settings
        self.outbox = outbox
        self.clickhouse = clickhouse
        self._burial = Burial(self.name, settings.dead_letter_limit, outbox, clickhouse)
        self._writing: asyncio.Task[None] | None = None
        self._assignments = 0

    @abstractmethod
    def read(self, topic: str, value: bytes | None) -> EventT:
        """Read one record's value; raises `ContractError`."""

    @abstractmethod
    def rows_of(self, event: EventT) -> int:
        """Return how many rows an event stands for."""

    @abstractmethod
    async def process(self, batch: Batch[EventT]) -> None:
        """Work a batch through and hand its writes to `write`."""

    @abstractmethod
    def forget(self) -> None:
        """Drop all state; it is read from ClickHouse again when needed."""

    def reassigned(self) -> None:
        """Start anew after a rebalance: what was not acknowledged will come again."""
        self._assignments += 1
        self.forget()

    def assigned(self, partitions: Iterable[Any]) -> None:
        """Count the partitions it owns; their state is read with the first records, or never."""
        owned = {one.partition for one in partitions if one.topic in self.topics}
        metrics.PARTITIONS_OWNED.labels(self.name).set(len(owned))

    def stop(self) -> None:
        """End waiting for ClickHouse and for Kafka."""
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
                        continue  # its records come again, to us or to another worker
                    await self._burial.bury(batch.records)
                    await self.process(batch)
                await gathering
        finally:
            gathering.cancel()
            # Also of an agent that Faust cancels: the write it had begun is told to stop as well.
            with self.until_stopped():
                await self.writing_done()

    @contextmanager
    def until_stopped(self) -> Iterator[None]:
        """End quietly when the worker is told to stop: what is unwritten comes again."""
        try:
            yield
        except Stopping:
            log.info("stopped while waiting for a server", processor=self.name)

    async def _gather(self, stream: Any, ready: asyncio.Queue[Batch[EventT] | None]) -> None:
        """Read records into batches while the one before is worked on; None ends them."""
        try:
            async for batch in batches(
                stream,
                self.read,
                self.rows_of,
                assignment=lambda: self._assignments,
                max_rows=self.settings.batch_rows,
                max_seconds=self.settings.batch_seconds,
            ):
                await ready.put(batch)
        finally:
            await ready.put(None)

    def write(self, batch: Batch[EventT], writes: Coroutine[Any, Any, None]) -> None:
        """Write a batch in the background and acknowledge it; the one before must be done."""
        self._writing = asyncio.create_task(self._finish(batch, writes))

    async def writing_done(self) -> None:
        """Wait until the batch being written is; raises what its writing raised."""
        writing, self._writing = self._writing, None
        if writing is not None:
            await writing

    async def _finish(self, batch: Batch[EventT], writes: Coroutine[Any, Any, None]) -> None:
        await writes
        if batch.assignment != self._assignments:
            return  # its records come again, to us or to another worker
        batch.acknowledge()
        done = time.time()
        started = batch.started
        metrics.BATCH_SECONDS.labels(self.name).observe(asyncio.get_running_loop().time() - started)
        if batch.oldest_timestamp is not None:
            metrics.QUERYABLE_LATENCY.labels(self.name).observe(
                max(done - batch.oldest_timestamp, 0.0)
            )
        for topic, records in Counter(record.topic for record in batch.records).items():
            metrics.RECORDS.labels(topic).inc(records)
        tombstones = Counter(record.topic for record in batch.records if record.is_tombstone)
        for topic, records in tombstones.items():
            metrics.TOMBSTONES.labels(topic).inc(records)
            log.info("keys were deleted from the topic, rows stay", topic=topic, keys=records)
