"""A node of a Kafka cluster is killed, paused or restarted while workers run."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from breakout.contract.topics import DOWNLOADS
from tests.support.brokers import requires_kafka
from tests.support.clickhouse_proxy import Stage
from tests.support.kafka.broker import KafkaBroker
from tests.support.rig import ClusterRig, deliveries, running_cluster_rig

pytestmark = [requires_kafka, pytest.mark.fault, pytest.mark.timeout(700)]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterRig]:
    with running_cluster_rig(tmp_path_factory.mktemp("cluster")) as running:
        yield running


def leader(rig: ClusterRig) -> KafkaBroker:
    return asyncio.run(rig.cluster.leader_of(DOWNLOADS.name, 0))


def coordinator(rig: ClusterRig) -> KafkaBroker:
    """Return the node that coordinates the workers' group."""
    return asyncio.run(rig.cluster.coordinator_of(rig.group))


@pytest.mark.parametrize("node", [pytest.param(leader, marks=pytest.mark.slow), coordinator])
@pytest.mark.slow
def test_node_killed_during_a_write(
    rig: ClusterRig, node: Callable[[ClusterRig], KafkaBroker]
) -> None:
    first, second, third = deliveries(f"cluster-{node.__name__}", parts=3)
    rig.caught_up_worker()
    trap = rig.proxy.trap("INSERT INTO downloads_log", Stage.BEFORE)
    rig.publish(first)
    trap.wait()
    killed = node(rig)
    killed.kill()
    rig.publish(second)
    trap.release()
    rig.verify_with_restarts()
    killed.start()
    rig.publish(third)
    rig.verify_with_restarts()


@pytest.mark.slow
def test_leader_paused_and_resumed(rig: ClusterRig) -> None:
    first, second, third = deliveries("cluster-paused", parts=3)
    rig.caught_up_worker()
    trap = rig.proxy.trap("INSERT INTO downloads_log", Stage.BEFORE)
    rig.publish(first)
    trap.wait()
    paused = leader(rig)
    paused.pause()
    try:
        rig.publish(second)
        trap.release()
        rig.verify_with_restarts()
        assert leader(rig) is not paused
    finally:
        paused.resume()
    rig.publish(third)
    rig.verify_with_restarts()


@pytest.mark.slow
def test_rolling_restart(rig: ClusterRig) -> None:
    parts = deliveries("cluster-rolling", parts=len(rig.cluster.brokers))
    rig.caught_up_worker()
    for broker, part in zip(rig.cluster.brokers.values(), parts, strict=True):
        rig.publish(part)
        broker.stop()
        broker.start()
    rig.verify_with_restarts()
