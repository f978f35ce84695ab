"""A log that was replaced or lost records is read again, and no new record is lost."""

import asyncio
import signal
from collections.abc import Iterable

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.structs import OffsetAndMetadata

from breakout.contract.topics import DAILY, DOWNLOADS, MODELS
from breakout.kafka.offsets import log_ends
from breakout.kafka.status import KafkaStatus, read_kafka_status
from breakout.kafka.topics import ensure_topics
from tests.support.brokers import requires_kafka
from tests.support.events import model, observed, of_one_partition
from tests.support.kafka.broker import KafkaBroker
from tests.support.kafka.cut import cut_last_batch
from tests.support.pipeline import WORKER_TOPICS, Worker
from tests.support.rig import LinkedRig
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(400), requires_kafka]

PARTITION = 3


class Published:
    """A model in `PARTITION` with two observations that workers have read."""

    def __init__(self, rig: LinkedRig, name: str) -> None:
        if not isinstance(rig.broker, KafkaBroker):
            pytest.skip("the embedded broker keeps no log that could be cut")
        self.rig, self.broker = rig, rig.broker
        self.worker = rig.caught_up_worker()
        (self.name,) = of_one_partition(name, 1, rig.settings.partitions, PARTITION)
        rig.publish([model(self.name)])
        rig.publish([observed([self.name], 1, [100])])
        rig.publish([observed([self.name], 2, [200])])
        rig.verify()

    def publish(self, days: Iterable[int]) -> None:
        """Publish one observation per day, each in a batch of its own."""
        for day in days:
            self.rig.publish([observed([self.name], day, [day * 100])])

    def lose_the_last_batch(self) -> None:
        """Kill the broker, cut the last batch of the partition's scrapes, and restart it."""
        self.broker.kill()
        assert cut_last_batch(self.broker, DOWNLOADS.name, PARTITION)
        self.broker.start()

    def stop_workers(self) -> None:
        """Stop all workers."""
        for worker in self.rig.running_workers():
            assert worker.stop() == 0

    def verify(self) -> None:
        """Compare the views with the oracle, once all positions are in their logs again."""
        wait_until("no position is lost", lambda: not state(self.rig).lost, seconds=120)
        self.rig.verify()


def state(rig: LinkedRig) -> KafkaStatus:
    """Return the state of Kafka that `breakout status` reads."""
    return asyncio.run(read_kafka_status(rig.settings, timeout_seconds=60))


async def ends(rig: LinkedRig, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=rig.bootstrap)
    await consumer.start()
    try:
        return await log_ends(consumer, partitions)
    finally:
        await consumer.stop()


async def commit_beyond_ends(rig: LinkedRig) -> int:
    """Commit a position beyond the end of every log that workers read; returns their number."""
    partitions = [
        TopicPartition(topic, number)
        for topic in WORKER_TOPICS
        for number in range(rig.settings.partitions)
    ]
    log_end = await ends(rig, partitions)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=rig.bootstrap, group_id=rig.group, enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign(partitions)
        await consumer.commit({one: OffsetAndMetadata(end + 3, "") for one, end in log_end.items()})
    finally:
        await consumer.stop()
    return len(partitions)


def reported(worker: Worker, why: str) -> bool:
    return any(
        "reading from the log's start" in line and why in line
        for line in worker.log.read_text().splitlines()
    )


@pytest.mark.slow
def test_log_lost_its_end_under_a_running_worker(rig: LinkedRig) -> None:
    published = Published(rig, "cut-running")
    published.lose_the_last_batch()
    published.publish([3])
    published.verify()
    # The second if the log had as many records again when the worker looked.
    assert reported(published.worker, "beyond the end of the log") or reported(
        published.worker, "follows another record"
    )
    published.publish([4])
    published.verify()


@pytest.mark.slow
def test_log_grew_past_the_position_without_a_worker(rig: LinkedRig) -> None:
    published = Published(rig, "cut-stopped")
    published.stop_workers()
    published.lose_the_last_batch()
    # More than were lost: the position is among the new records.
    published.publish([3, 4, 5])
    (lost,) = state(rig).lost
    assert (lost.partition, lost.why) == (TopicPartition(DOWNLOADS.name, PARTITION), "other_log")
    worker = rig.start_worker()
    published.verify()
    assert reported(worker, "follows another record")


@pytest.mark.slow
def test_log_grew_past_the_position_of_a_running_worker(rig: LinkedRig) -> None:
    published = Published(rig, "cut-paused")
    published.worker.process.send_signal(signal.SIGSTOP)
    try:
        published.lose_the_last_batch()
        published.publish([3, 4, 5])
    finally:
        published.worker.process.send_signal(signal.SIGCONT)
    published.verify()
    assert reported(published.worker, "follows another record")


@pytest.mark.parametrize(
    "running",
    [
        pytest.param(False, id="records-wait"),
        pytest.param(True, id="nothing-arrives", marks=pytest.mark.slow),
    ],
)
@pytest.mark.slow
def test_positions_beyond_the_end_of_every_topic(rig: LinkedRig, *, running: bool) -> None:
    published = Published(rig, f"beyond-{running}")
    published.stop_workers()
    committed = asyncio.run(commit_beyond_ends(rig))
    before = state(rig)
    assert len(before.lost) == committed
    assert {one.why for one in before.lost} == {"beyond_end"}
    if running:
        # No records arrive, and logs are empty: the worker has to check their ends.
        rig.start_worker()
        published.verify()
    published.publish([3, 4])
    if not running:
        rig.start_worker()
    published.verify()
    assert reported(rig.running_workers()[0], "beyond the end of the log")


@pytest.mark.slow
def test_topics_recreated_under_a_running_worker(rig: LinkedRig) -> None:
    published = Published(rig, "recreated")

    async def delete() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=rig.bootstrap)
        await admin.start()
        try:
            await admin.delete_topics([DOWNLOADS.name, DAILY.name])
        finally:
            await admin.close()

    asyncio.run(delete())
    wait_until(
        "the topics are gone",
        lambda: set(state(rig).missing) == {DOWNLOADS.name, DAILY.name},
    )
    asyncio.run(ensure_topics(rig.settings))
    published.publish([3, 4])
    rig.verify_with_restarts()
    published.verify()


def test_records_deleted_before_they_were_read(rig: LinkedRig) -> None:
    published = Published(rig, "deleted")
    published.stop_workers()
    published.publish([3])
    partition = TopicPartition(DOWNLOADS.name, PARTITION)

    async def delete() -> None:
        end = (await ends(rig, [partition]))[partition]
        admin = AIOKafkaAdminClient(bootstrap_servers=rig.bootstrap)
        await admin.start()
        try:
            await admin.delete_records({partition: RecordsToDelete(end)})
        finally:
            await admin.close()

    asyncio.run(delete())
    rig.observations.pop()  # no longer readable
    (lost,) = state(rig).lost
    assert (lost.partition, lost.why) == (partition, "deleted")
    worker = rig.start_worker()
    published.publish([4])
    published.verify()
    assert reported(worker, "deleted before they were read")


@pytest.mark.slow
def test_models_log_lost_its_end(rig: LinkedRig) -> None:
    published = Published(rig, "cut-models")
    published.broker.kill()
    assert cut_last_batch(published.broker, MODELS.name, PARTITION)
    published.broker.start()
    rig.publish([model(published.name, tracked=False, hour=30)])
    published.verify()
