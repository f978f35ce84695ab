"""Leader election among the instances of a collector: one of them runs the source.

Each source has its own consumer group on `breakout.runs`. The instance that is assigned the
partition of the source's runs is the leader; when it dies, Kafka assigns the partition to another.
"""

import asyncio
import os
import socket
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Self

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError

from breakout.contract import RunRecord
from breakout.contract.topics import RUNS, partition_of
from breakout.kafka.clients import start_client, stop_client
from breakout.kafka.compacted import read_latest
from breakout.kafka.connection import kafka_connection
from breakout.kafka.topics import ensure_topics, wait_for_broker
from breakout.observability import metrics
from breakout.settings import Settings
from breakout.tasks import end, uninterrupted
from collectors.publishing.publisher import open_publisher
from collectors.scheduling.job import Job
from collectors.scheduling.outcome import Outcome
from collectors.scheduling.schedule import OnState, run_for_ever

log = structlog.get_logger(__name__)

_SESSION_MS = 6_000
"""Without a heartbeat for so long, another instance takes over."""
_PUBLISH_SECONDS = 30.0
_RUN_END_SECONDS = 30.0


async def run_as_leader(job: Job, *, on_state: OnState) -> None:
    """Run a job whenever it is due and this instance is the source's leader, until cancelled."""
    while True:
        async with LeaderLease(job.settings, job.name) as lease:
            await on_state("standby", None)
            await lease.acquired.wait()
            last = await lease.last_run()
            log.info(
                "elected leader",
                source=job.name,
                last_run=last.observed_at.isoformat() if last else None,
            )
            running = asyncio.create_task(
                run_for_ever(job, last=last, on_run=lease.record, on_state=on_state)
            )
            ending = asyncio.create_task(lease.lost.wait())
            try:
                await asyncio.wait({running, ending}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                ending.cancel()
                ended = await end(running, within=_RUN_END_SECONDS)
            if not ended:
                raise RuntimeError(
                    f"{job.name}: the run did not stop within {_RUN_END_SECONDS:g} s of losing the "
                    "leader lease, and another instance may run the source: restart the process"
                )
            if not running.cancelled():
                running.result()
            log.info("lost the leader lease", source=job.name)


class LeaderLease(ConsumerRebalanceListener):  # type: ignore[misc]
    """The right to run a source, as an async context manager that campaigns for it."""

    def __init__(self, settings: Settings, source: str) -> None:
        self.acquired = asyncio.Event()
        """Set once this instance is the leader."""
        self.lost = asyncio.Event()
        """Set once it no longer is."""
        self._settings = settings
        self._source = source
        self._instance = f"{socket.gethostname()}:{os.getpid()}"
        self._complete_at: datetime | None = None
        self._partition: TopicPartition | None = None
        self._consumer: Any = None
        self._polling: asyncio.Task[None] | None = None
        self._recording: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Join the source's consumer group; waits for an unavailable broker."""
        partitions = (await ensure_topics(self._settings, [RUNS]))[RUNS.name]
        self._partition = TopicPartition(RUNS.name, partition_of(self._source, partitions))
        self._consumer = await wait_for_broker(self._settings, self._joined)
        self._consumer.subscribe([RUNS.name], listener=self)
        self._polling = asyncio.create_task(self._poll())
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Leave the group, so that another instance takes over immediately."""
        await uninterrupted(self._leave())

    async def _leave(self) -> None:
        metrics.COLLECTOR_LEADER.labels(self._source).set(0)
        if self._recording is not None:
            # Its result has gone to the run; here it only has to end.
            await asyncio.wait({self._recording}, timeout=_SESSION_MS / 1000)
            await end(self._recording)
        if self._polling is not None:
            await end(self._polling)
        await stop_client(self._consumer.stop)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Acquire the lease if the source's partition is among them."""
        if self._partition in assigned:
            metrics.COLLECTOR_LEADER.labels(self._source).set(1)
            self.acquired.set()

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Lose the lease if the source's partition is among them."""
        if self._partition in revoked:
            metrics.COLLECTOR_LEADER.labels(self._source).set(0)
            self.lost.set()

    async def last_run(self) -> RunRecord | None:
        """Return the source's latest run, null if the topic has none."""
        if self._partition is None:
            raise RuntimeError("use it with `async with`")
        partitions = [self._partition.partition]
        runs = await read_latest(self._settings, RUNS, RunRecord, partitions=partitions)
        latest = runs.get(self._source)
        self._complete_at = latest.complete_at if latest else None
        return latest

    async def record(self, outcome: Outcome) -> None:
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
        # Not cancelled with the run: aiokafka would leak a connection that it is opening.
        self._recording = asyncio.create_task(self._publish(record))
        await asyncio.shield(self._recording)

    async def _publish(self, record: RunRecord) -> None:
        async with open_publisher(self._settings, give_up_after=_PUBLISH_SECONDS) as publisher:
            await publisher.publish([record])
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
        """Keep the membership alive, however long a run takes."""
        while True:
            try:
                await self._consumer.getmany(timeout_ms=500)
            except KafkaError as error:
                log.warning("Kafka does not respond", source=self._source, reason=str(error))
                await asyncio.sleep(1)
