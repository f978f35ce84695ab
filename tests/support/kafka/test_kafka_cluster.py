"""The node and the cluster keep acknowledged records when a broker is killed."""

from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.support.brokers import requires_kafka, running_broker
from tests.support.kafka.cluster import running_cluster

pytestmark = [requires_kafka, pytest.mark.fault]


async def _make(bootstrap: str, copies: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("t", num_partitions=1, replication_factor=copies)])
    await admin.close()


async def _send(bootstrap: str, values: list[bytes]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True)
    await producer.start()
    for value in values:
        await producer.send_and_wait("t", value, partition=0)
    await producer.stop()


async def _read(bootstrap: str, number: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([TopicPartition("t", 0)])
    values: list[bytes] = []
    while len(values) < number:
        values.append((await consumer.getone()).value)
    await consumer.stop()
    return values


async def test_killed_node_keeps_its_log(tmp_path: Path) -> None:
    values = [b"%d" % number for number in range(100)]
    with running_broker(tmp_path, "kafka") as broker:
        await _make(broker.bootstrap, 1)
        await _send(broker.bootstrap, values)
        broker.kill()
        broker.start()
        assert await _read(broker.bootstrap, 100) == values


async def test_partition_survives_its_leader(tmp_path: Path) -> None:
    with running_cluster(tmp_path) as cluster:
        await _make(cluster.bootstrap, 3)
        await _send(cluster.bootstrap, [b"before"])
        first = await cluster.leader_of("t", 0)
        first.kill()
        await _send(cluster.bootstrap, [b"after"])
        assert await _read(cluster.bootstrap, 2) == [b"before", b"after"]
        assert await cluster.leader_of("t", 0) is not first
