"""A cluster of three Apache Kafka nodes, which tolerates the loss of one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from tests.support.kafka.broker import KafkaBroker
from tests.support.server_process import free_port

NODES = (1, 2, 3)


class KafkaCluster:
    """Three brokers that are controllers too; two of them suffice."""

    def __init__(self, directory: Path) -> None:
        controllers = {node: free_port() for node in NODES}
        self.brokers = {
            node: KafkaBroker(
                directory / f"node-{node}",
                free_port(),
                node=node,
                controllers=controllers,
                properties={"min.insync.replicas": "2"},
            )
            for node in NODES
        }
        self.bootstrap = ",".join(broker.bootstrap for broker in self.brokers.values())

    def start(self) -> None:
        """Start all in parallel: a node is not ready before a second one runs."""
        with ThreadPoolExecutor(len(NODES)) as pool:
            list(pool.map(lambda broker: broker.start(), self.brokers.values()))

    def close(self) -> None:
        """End all in parallel, so that none waits for another."""
        with ThreadPoolExecutor(len(NODES)) as pool:
            list(pool.map(lambda broker: broker.close(), self.brokers.values()))

    async def leader_of(self, topic: str, partition: int) -> KafkaBroker:
        """Return the node that leads a partition."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            (described,) = await admin.describe_topics([topic])
        finally:
            await admin.close()
        leaders = {one["partition"]: int(one["leader"]) for one in described["partitions"]}
        return self.brokers[leaders[partition]]

    async def coordinator_of(self, group: str) -> KafkaBroker:
        """Return the node that coordinates a consumer group."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            return self.brokers[await admin.find_coordinator(group)]
        finally:
            await admin.close()


@contextmanager
def running_cluster(directory: Path) -> Iterator[KafkaCluster]:
    """Run a cluster, its data in `directory`."""
    cluster = KafkaCluster(directory)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()
