"""A log that is no longer the one a worker read is read again, and nothing new in it is lost."""

import asyncio
import signal
from collections.abc import Iterable

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.structs import OffsetAndMetadata

from breakout.contract.topics import DOWNLOADS, MODELS, POINTS
from breakout.kafka.offsets import log_ends
from breakout.kafka.state import KafkaState, read_kafka
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


class Told:
    """A model in `PARTITION` that the workers have read two observations of."""

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

    def tell(self, days: Iterable[int]) -> None:
        """Publish one observation a day, each a batch of its own."""
        for day in days:
            self.rig.publish([observed([self.name], day, [day * 100])])

    def lose_the_last_batch(self) -> None:
        """Kill the broker, and take the last batch of the partition's scrapes from it."""
        self.broker.kill()
        assert cut_last_batch(self.broker, DOWNLOADS.name, PARTITION)
        self.broker.start()

    def stop_worker(self) -> None:
        """End all workers."""
        for worker in self.rig.running_workers():
            assert worker.stop() == 0

    def judge(self) -> None:
        """Hold the tables against all that was told, once the group is in the logs again."""
        wait_until("the group is in the logs", lambda: not state(self.rig).lost, seconds=120)
        self.rig.verify()


def state(rig: LinkedRig) -> KafkaState:
    """Return what `breakout status` is told."""
    return asyncio.run(read_kafka(rig.settings, patience=60))


async def ends(rig: LinkedRig, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=rig.bootstrap)
    await consumer.start()
    try:
        return await log_ends(consumer, partitions)
    finally:
        await consumer.stop()


async def commit_beyond_ends(rig: LinkedRig) -> int:
    """Commit a position beyond the end of every log that workers read; returns of how many."""
    partitions = [
        TopicPartition(topic, number)
        for topic in WORKER_TOPICS
        for number in range(rig.settings.partitions)
    ]
    there = await ends(rig, partitions)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=rig.bootstrap, group_id=rig.group, enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign(partitions)
        await consumer.commit({one: OffsetAndMetadata(end + 3, "") for one, end in there.items()})
    finally:
        await consumer.stop()
    return len(partitions)


def said(worker: Worker, why: str) -> bool:
    return any(
        "reading from the log's start" in line and why in line
        for line in worker.log.read_text().splitlines()
    )


def test_log_that_lost_its_end_under_a_running_worker(rig: LinkedRig) -> None:
    told = Told(rig, "cut-running")
    told.lose_the_last_batch()
    told.tell([3])
    told.judge()
    # Or it came back to as many records as it had read.
    assert said(told.worker, "beyond the log's end") or said(told.worker, "after another record")
    told.tell([4])
    told.judge()


def test_log_that_grew_past_the_position_while_no_worker_ran(rig: LinkedRig) -> None:
    told = Told(rig, "cut-stopped")
    told.stop_worker()
    told.lose_the_last_batch()
    # As many as were lost, and more: the position is in the middle of what is new.
    told.tell([3, 4, 5])
    (lost,) = state(rig).lost
    assert (lost.partition, lost.why) == (TopicPartition(DOWNLOADS.name, PARTITION), "other_log")
    worker = rig.start_worker()
    told.judge()
    assert said(worker, "after another record")


@pytest.mark.slow
def test_log_that_grew_past_the_position_of_a_running_worker(rig: LinkedRig) -> None:
    told = Told(rig, "cut-paused")
    told.worker.process.send_signal(signal.SIGSTOP)
    try:
        told.lose_the_last_batch()
        told.tell([3, 4, 5])
    finally:
        told.worker.process.send_signal(signal.SIGCONT)
    told.judge()
    assert said(told.worker, "after another record")


@pytest.mark.parametrize(
    "running",
    [
        pytest.param(False, id="records-wait"),
        pytest.param(True, id="nothing-arrives", marks=pytest.mark.slow),
    ],
)
def test_positions_beyond_the_end_of_every_topic(rig: LinkedRig, *, running: bool) -> None:
    told = Told(rig, f"beyond-{running}")
    told.stop_worker()
    wrong = asyncio.run(commit_beyond_ends(rig))
    before = state(rig)
    assert len(before.lost) == wrong
    assert {one.why for one in before.lost} == {"beyond_end"}
    if running:
        # Nothing new arrives, and logs are empty: the worker looks at their ends by itself.
        rig.start_worker()
        told.judge()
    told.tell([3, 4])
    if not running:
        rig.start_worker()
    told.judge()
    assert said(rig.running_workers()[0], "beyond the log's end")


@pytest.mark.slow
def test_topics_made_anew_under_a_running_worker(rig: LinkedRig) -> None:
    told = Told(rig, "anew")

    async def delete() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=rig.bootstrap)
        await admin.start()
        try:
            await admin.delete_topics([DOWNLOADS.name, POINTS.name])
        finally:
            await admin.close()

    asyncio.run(delete())
    wait_until(
        "the topics are gone",
        lambda: set(state(rig).missing) == {DOWNLOADS.name, POINTS.name},
    )
    asyncio.run(ensure_topics(rig.settings))
    told.tell([3, 4])
    rig.verify_with_restarts()
    told.judge()


def test_records_deleted_before_they_were_read(rig: LinkedRig) -> None:
    told = Told(rig, "deleted")
    told.stop_worker()
    told.tell([3])
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
    rig.observations.pop()  # nobody can read it any more
    (lost,) = state(rig).lost
    assert (lost.partition, lost.why) == (partition, "deleted")
    worker = rig.start_worker()
    told.tell([4])
    told.judge()
    assert said(worker, "deleted before they were read")


@pytest.mark.slow
def test_models_log_that_lost_its_end(rig: LinkedRig) -> None:
    told = Told(rig, "cut-models")
    told.broker.kill()
    assert cut_last_batch(told.broker, MODELS.name, PARTITION)
    told.broker.start()
    rig.publish([model(told.name, tracked=False, hour=30)])
    told.judge()
