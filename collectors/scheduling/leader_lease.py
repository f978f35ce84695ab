"""Whose turn it is to run a source, of all instances that would: one at a time.

Each source has a consumer group of its own on `breakout.runs`. Whoever is assigned the partition
that holds the source's runs has the turn; when it dies, Kafka gives the partition to another.
"""

import asyncio
import os
import socket
from collections.abc import Collection
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError

from breakout.contract import ContractError, RunRecord, read_event
from breakout.contract.compacted import check_key, is_tombstone
from breakout.contract.topics import RUNS, partition_of
from breakout.kafka.clients import start_client, stop_client
from breakout.kafka.connection import kafka_connection
from breakout.kafka.offsets import log_ends
from breakout.kafka.topics import ensure_topics, wait_for_broker
from breakout.observability import metrics
from breakout.settings import Settings
from breakout.tasks import end, in_own_task, uninterrupted
from collectors.publishing.publisher import open_publisher
from collectors.scheduling.job import Job, Outcome
from collectors.scheduling.schedule import OnState, run_for_ever

log = structlog.get_logger(__name__)

_SESSION_MS = 6_000
"""Without a sign of life for so long, another instance takes over."""
_READ_SECONDS = 30.0
_RUN_END_SECONDS = 30.0


async def run_in_turn(job: Job, *, on_state: OnState) -> None:
    """Run a job for ever, as long as and whenever this instance has the source's turn."""
    while True:
        async with Turn(job.settings, job.name) as turn:
            await on_state("standby", None)
            await turn.begins.wait()
            last = await turn.last_run()
            log.info(
                "this instance runs the source",
                source=job.name,
                last_run=last.observed_at.isoformat() if last else None,
            )
            running = asyncio.create_task(
                run_for_ever(job, last=last, on_run=turn.remember, on_state=on_state)
            )
            ending = asyncio.create_task(turn.ends.wait())
            try:
                await asyncio.wait({running, ending}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                ending.cancel()
                ended = await end(running, within=_RUN_END_SECONDS)
            if not ended:
                raise RuntimeError(
                    f"{job.name}: the run still goes on {_RUN_END_SECONDS:g} s after it was told "
                    "to end, and another instance may run the source; start the process again"
                )
            if not running.cancelled():
                running.result()
            log.info("another instance runs the source", source=job.name)


class Turn(ConsumerRebalanceListener):  # type: ignore[misc]
    """This instance's place among those that would run a source; use it with `async with`."""

    def __init__(self, settings: Settings, source: str) -> None:
        self.begins = asyncio.Event()
        """Set once this instance has the turn."""
        self.ends = asyncio.Event()
        """Set once it has lost it."""
        self._settings = settings
        self._source = source
        self._instance = f"{socket.gethostname()}:{os.getpid()}"
        self._complete_at: datetime | None = None
        self._partition: TopicPartition | None = None
        self._consumer: Any = None
        self._polling: asyncio.Task[None] | None = None
        self._remembering: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Join the source's group; a broker that is away is waited for."""
        partitions = (await ensure_topics(self._settings, [RUNS]))[RUNS.name]
        self._partition = TopicPartition(RUNS.name, partition_of(self._source, partitions))
        self._consumer = await wait_for_broker(self._settings, self._joined)
        self._consumer.subscribe([RUNS.name], listener=self)
        self._polling = asyncio.create_task(self._poll())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the group, so that another takes over at once."""
        await uninterrupted(self._leave())

    async def _leave(self) -> None:
        metrics.COLLECTOR_TURN.labels(self._source).set(0)
        if self._remembering is not None:
            # Whether it went well, the run has heard; here it must only have ended.
            await asyncio.wait({self._remembering}, timeout=_SESSION_MS / 1000)
            await end(self._remembering)
        if self._polling is not None:
            await end(self._polling)
        await stop_client(self._consumer.stop)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Begin, when the source's partition is among them."""
        if self._partition in assigned:
            metrics.COLLECTOR_TURN.labels(self._source).set(1)
            self.begins.set()

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """End, when the source's partition is among them."""
        if self._partition in revoked:
            metrics.COLLECTOR_TURN.labels(self._source).set(0)
            self.ends.set()

    async def last_run(self) -> RunRecord | None:
        """Return the source's latest run, null when it never ran as far as Kafka knows."""
        return await wait_for_broker(self._settings, self._read_last_run)

    async def remember(self, outcome: Outcome) -> None:
        """Publish a run as the source's latest. Raises `KafkaUnavailableError`."""
        if outcome.complete:
            self._complete_at = outcome.observed_at
        record = RunRecord(
            source=self._source,
            observed_at=outcome.observed_at,
            complete_at=self._complete_at,
            finished_at=datetime.now(UTC),
            instance=self._instance,
        )
        # Not to be cut short: aiokafka leaves a connection open that is being made when cancelled.
        self._remembering = asyncio.create_task(self._publish(record))
        await asyncio.shield(self._remembering)

    async def _publish(self, record: RunRecord) -> None:
        async with open_publisher(self._settings, give_up_after=_READ_SECONDS) as publisher:
            await publisher.publish(RUNS, [(record.key, record)])
            await publisher.flush()

    async def _joined(self) -> Any:
        consumer = AIOKafkaConsumer(
            **kafka_connection(self._settings),
            group_id=f"{self._settings.group}.collector.{self._source}",
            enable_auto_commit=False,
            session_timeout_ms=_SESSION_MS,
            heartbeat_interval_ms=_SESSION_MS // 3,
        )
        await start_client(consumer)
        return consumer

    async def _poll(self) -> None:
        """Show Kafka that we are there, however long a run takes."""
        while True:
            try:
                await self._consumer.getmany(timeout_ms=500)
            except KafkaError as error:
                log.warning("Kafka does not answer", source=self._source, reason=str(error))
                await asyncio.sleep(1)

    async def _read_last_run(self) -> RunRecord | None:
        consumer = AIOKafkaConsumer(**kafka_connection(self._settings))
        await start_client(consumer)
        try:
            return await in_own_task(self._scan(consumer), within=_READ_SECONDS)
        finally:
            await stop_client(consumer.stop)

    async def _scan(self, consumer: Any) -> RunRecord | None:
        latest: RunRecord | None = None
        partition = self._partition
        if partition is None:
            raise RuntimeError("use it with `async with`")
        end = (await log_ends(consumer, [partition]))[partition]
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        while await consumer.position(partition) < end:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    if is_tombstone(RUNS.name, record.key, record.value):
                        # As if the source had never run.
                        latest = None if record.key == self._source.encode() else latest
                        continue
                    run = _read(record.key, record.value)
                    if run is not None and run.source == self._source:
                        latest = run
        self._complete_at = latest.complete_at if latest else None
        return latest


def _read(key: bytes | None, value: bytes | None) -> RunRecord | None:
    try:
        run = read_event(RunRecord, value)
        check_key(RUNS.name, key, run)
    except ContractError as error:
        log.warning("a run on breakout.runs cannot be read, passing it over", why=str(error))
        return None
    return run
