"""A Kafka consumer for workers that notices when a log was replaced or lost records.

Faust continues at its position and drops records with smaller offsets: after a broker lost the end
of a log, or a topic was deleted and created again, new records would be dropped until the log has
grown past the old position, and those before it never be read. Three signs show this: a record
arrives with an offset below the position; the log ends before it; or, after a silence as long as a
broker's restart, the offset read last holds another record. Such a partition is read again from
its start: the start is committed, and the group rebalances. Reading records twice is harmless.
"""

import asyncio
import contextlib
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service

from breakout.kafka.clients import stop_client
from breakout.kafka.connection import kafka_connection
from breakout.kafka.offsets import log_ends
from breakout.kafka.positions import LastRecord, LostPosition, overwritten
from breakout.observability import metrics
from breakout.settings import Settings

log = structlog.get_logger(__name__)

SILENT_SECONDS = 3.0
"""A broker that lost part of a log was unavailable for longer than this."""

CHECK_SECONDS = 10.0
"""Seconds between checks of where the logs end."""


class ReadMarks:
    """The records that a worker read last, by partition."""

    def __init__(self) -> None:
        self._read: dict[TP, deque[LastRecord]] = {}

    def restart(self, partition: TP, committed: OffsetAndMetadata | None) -> None:
        """Start at a committed position."""
        last = LastRecord.of(committed.metadata) if committed else None
        self._read[partition] = deque([last] if last else [])

    def add(self, partition: TP, offset: int, timestamp: int | None) -> None:
        """Note a record that was read; without a timestamp it cannot be compared."""
        if timestamp is not None and timestamp >= 0:
            self._read.setdefault(partition, deque()).append(LastRecord(offset, timestamp))

    def newest(self, partition: TP) -> LastRecord | None:
        """Return the record that was read last."""
        read = self._read.get(partition)
        return read[-1] if read else None

    def committed(self, partition: TP, position: int) -> OffsetAndMetadata:
        """Return what to commit for a position; drops the records before it but the last."""
        read = self._read.get(partition, deque())
        while len(read) > 1 and read[1].offset < position:
            read.popleft()
        last = read[0] if read and read[0].offset < position else None
        return OffsetAndMetadata(position, last.metadata() if last else "")


class _Thread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Thread of the consumer; commits each position with the record before it."""

    consumer: "CheckedConsumer"

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        commit, marks = consumer.commit, self.consumer.marks

        async def commit_marked(offsets: Mapping[TP, OffsetAndMetadata]) -> None:
            await commit({tp: marks.committed(tp, one.offset) for tp, one in offsets.items()})

        # Faust creates what it commits, without metadata.
        consumer.commit = commit_marked
        return consumer

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek all partitions to their committed positions."""
        positions: Mapping[TP, int] = await self.call_thread(self._seek_to_committed)
        return positions

    async def _seek_to_committed(self) -> dict[TP, int | None]:
        consumer = self._ensure_consumer()
        assigned = [TopicPartition(*tp) for tp in consumer.assignment()]
        found = await consumer._coordinator.fetch_committed_offsets(assigned)  # noqa: SLF001
        positions: dict[TP, int | None] = {}
        for partition in assigned:
            committed = found.get(partition)
            if committed is not None and committed.offset < 0:
                committed = None
            tp = TP(*partition)
            self.consumer.marks.restart(tp, committed)
            positions[tp] = committed.offset if committed else None
            if committed:
                consumer.seek(partition, committed.offset)
        return positions

    async def restart(self, begins: Mapping[TP, int]) -> None:
        """Commit the offsets to read from, and trigger a rebalance of the group."""
        await self.call_thread(self._restart, begins)

    async def _restart(self, begins: Mapping[TP, int]) -> None:
        consumer = self._ensure_consumer()
        for tp in begins:
            self.consumer.marks.restart(tp, None)
        starts = {TopicPartition(*tp): OffsetAndMetadata(at, "") for tp, at in begins.items()}
        try:
            await consumer.commit(starts)
        except KafkaError as error:
            # Whoever gets the partition finds the same, and does the same.
            log.warning("cannot commit the position", why=str(error) or type(error).__name__)
        consumer._coordinator.request_rejoin()  # noqa: SLF001


class CheckedConsumer(driver.Consumer):  # type: ignore[misc]
    """Faust's consumer; compares arriving records with those read before."""

    _thread: _Thread
    transport: "CheckedTransport"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.marks = ReadMarks()
        self._last_arrival: dict[TP, float] = {}
        self._restarting: set[TP] = set()
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        """Seek all partitions to their committed positions, after each assignment."""
        await super().perform_seek()
        self._restarting.clear()
        self._last_arrival.clear()

    def _to_message(self, tp: TP, record: Any) -> Any:
        self.marks.add(tp, record.offset, record.timestamp)
        return super()._to_message(tp, record)

    async def _getmany(
        self,
        active_partitions: set[TP] | None,
        timeout: float,  # noqa: ASYNC109
    ) -> Mapping[TP, list[Any]]:
        arrived = await super()._getmany(active_partitions, timeout)
        records = {tp: batch for tp, batch in arrived.items() if tp not in self._restarting}
        lost = await self._lost({TP(*tp): batch[0].offset for tp, batch in records.items()})
        if lost:
            await self._read_again(lost)
        return {tp: batch for tp, batch in records.items() if tp not in self._restarting}

    async def _lost(self, arrived: Mapping[TP, int]) -> list[LostPosition]:
        """Return the partitions whose logs were replaced; `arrived` has their first offsets."""
        now, silent, rewound = time.monotonic(), [], []
        for tp, offset in arrived.items():
            position = self._read_offset[tp]
            if position is not None and offset < position:
                rewound.append(tp)
            elif now - self._last_arrival.get(tp, -SILENT_SECONDS) >= SILENT_SECONDS:
                silent.append(tp)
            self._last_arrival[tp] = now
        if not rewound and not silent:
            return []
        try:
            async with self._reader() as reader:
                return await self._compared(reader, rewound, silent)
        except (KafkaError, OSError, TimeoutError) as error:
            why = str(error) or type(error).__name__
            log.warning("cannot compare the log with the records read before", why=why)
            for tp in silent:
                del self._last_arrival[tp]  # compare at its next records
            # The log's start is unknown: read from the first record that arrived.
            return [self._position_lost(tp, arrived[tp], "beyond_end") for tp in rewound]

    @Service.task  # type: ignore[untyped-decorator]
    async def _check_logs(self) -> None:
        """Check logs in which no records arrive."""
        async for _ in self.itertimer(CHECK_SECONDS, name="logs"):
            if self.flow_active:
                # Other code reports an unavailable broker.
                with contextlib.suppress(KafkaError, OSError, TimeoutError):
                    await self._read_again(await self._lost_without_arrivals())

    async def _lost_without_arrivals(self) -> list[LostPosition]:
        now = time.monotonic()
        positions = {
            TopicPartition(*tp): position
            for tp in self.assignment()
            if tp not in self._restarting
            and (position := self._position(tp)) is not None
            and now - self._last_arrival.get(tp, -SILENT_SECONDS) >= SILENT_SECONDS
        }
        if not positions:
            return []
        async with self._reader() as reader:
            ends = await reader.end_offsets(positions)
            # The embedded broker reports too small ends: compare with the last records.
            ends |= await log_ends(reader, [tp for tp, at in positions.items() if at > ends[tp]])
            beyond = [TP(*tp) for tp, at in positions.items() if at > ends[tp]]
            others = [TP(*tp) for tp, at in positions.items() if at <= ends[tp]]
            lost = await self._compared(reader, beyond, others)
        # Unless the group has rebalanced, or records have arrived, meanwhile.
        return [
            position
            for position in lost
            if self._position(position.partition) == positions[position.partition]
        ]

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[AIOKafkaConsumer]:
        """A consumer without a group, for at most the Kafka timeout."""
        settings = self.transport.settings
        reader = AIOKafkaConsumer(**kafka_connection(settings), enable_auto_commit=False)
        try:
            async with asyncio.timeout(settings.kafka_timeout_seconds):
                await reader.start()
                yield reader
        finally:
            await stop_client(reader.stop)

    async def _compared(
        self, reader: AIOKafkaConsumer, rewound: list[TP], silent: list[TP]
    ) -> list[LostPosition]:
        """Return all of `rewound`, and those of `silent` that hold other records than before."""
        partitions = [TopicPartition(*tp) for tp in (*rewound, *silent)]
        begins = await reader.beginning_offsets(partitions)
        last = {TopicPartition(*tp): self.marks.newest(tp) for tp in silent}
        retained = {tp: read for tp, read in last.items() if read and read.offset >= begins[tp]}
        other = await overwritten(reader, retained)
        lost = [self._position_lost(tp, begins[tp], "beyond_end") for tp in rewound]
        lost += [self._position_lost(TP(*tp), begins[tp], "other_log") for tp in other]
        deleted = (self._position_lost(tp, begins[tp], "deleted") for tp in silent)
        return lost + [position for position in deleted if position.position < position.begin]

    def _position(self, tp: TP) -> int | None:
        """Return the offset to read next; None if the group starts at the earliest."""
        # Faust holds the committed position, and after the first record the offset read last.
        position: int | None = self._read_offset[tp]
        last = self.marks.newest(tp)
        return position if last is None or position is None else max(position, last.offset + 1)

    def _position_lost(self, tp: TP, begin: int, why: str) -> LostPosition:
        position = self._position(tp)
        where = begin if position is None else position
        return LostPosition(TopicPartition(*tp), where, begin, None, why)

    async def _read_again(self, lost: Iterable[LostPosition]) -> None:
        begins = {}
        for position in lost:
            tp = TP(*position.partition)
            metrics.POSITIONS_LOST.labels(tp.topic, position.why).inc()
            self.transport.on_lost(str(position))
            log.error("reading from the log's start", why=str(position), offset=position.begin)
            begins[tp] = position.begin
        if not begins:
            return
        self._restarting |= begins.keys()
        await self.maybe_wait_for_commit_to_finish()
        for tp in begins:
            # Acknowledgements from here on belong to records of the old log.
            self._acked.pop(tp, None)
            self._acked_index.pop(tp, None)
            self._committed_offset[tp] = sys.maxsize
        await self._thread.restart(begins)


class CheckedTransport(driver.Transport):  # type: ignore[misc]
    """Faust's transport with the checked consumer."""

    Consumer = CheckedConsumer

    def __init__(self, settings: Settings, app: Any, on_lost: Callable[[str], None]) -> None:
        """`on_lost` is called with a description of each lost position."""
        super().__init__(app.conf.broker_consumer, app)
        self.settings = settings
        self.on_lost = on_lost
