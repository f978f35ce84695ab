"""The embedded broker."""

from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from breakout.local.broker import broker_responds
from tests.support.brokers import running_broker
from tests.support.server_process import free_port


async def _names(bootstrap: str) -> list[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return list(await admin.list_topics())
    finally:
        await admin.close()


async def test_records_come_back_in_order_by_partition(tmp_path: Path) -> None:
    with running_broker(tmp_path) as broker:
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic("t", num_partitions=3, replication_factor=1)])
        await admin.close()
        producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
        await producer.start()
        for number in range(300):
            await producer.send_and_wait("t", b"%d" % number, partition=number % 3)
        await producer.stop()
        consumer = AIOKafkaConsumer(
            "t", bootstrap_servers=broker.bootstrap, group_id="g", auto_offset_reset="earliest"
        )
        await consumer.start()
        by_partition: dict[int, list[int]] = {0: [], 1: [], 2: []}
        while sum(map(len, by_partition.values())) < 300:
            record = await consumer.getone()
            by_partition[record.partition].append(int(record.value))
        await consumer.commit()
        await consumer.stop()
        assert by_partition == {first: list(range(first, 300, 3)) for first in range(3)}


@pytest.mark.fault
async def test_a_restarted_broker_is_empty_and_listens_again(tmp_path: Path) -> None:
    with running_broker(tmp_path) as broker:
        producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
        await producer.start()
        await producer.send_and_wait("t", b"x")
        await producer.stop()
        assert "t" in await _names(broker.bootstrap)
        broker.kill()
        broker.start()
        assert "t" not in await _names(broker.bootstrap)


async def test_no_broker_does_not_answer() -> None:
    assert not await broker_responds(free_port())
