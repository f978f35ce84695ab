"""A node of a Kafka cluster dies, or stands still, while workers work: the others carry on."""

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
    """Return the node that keeps the workers' group."""
    return asyncio.run(rig.cluster.coordinator_of(rig.group))


@pytest.mark.parametrize("node", [pytest.param(leader, marks=pytest.mark.slow), coordinator])
def test_a_node_is_killed_while_a_batch_is_written(
    rig: ClusterRig, node: Callable[[ClusterRig], KafkaBroker]
) -> None:
    first, second, third = deliveries(f"cluster-{node.__name__}", parts=3)
    rig.caught_up_worker()
    trap = rig.proxy.trap("INSERT INTO downloads_log", Stage.BEFORE)
    rig.publish(first)
    trap.wait()
    victim = node(rig)
    victim.kill()
    rig.publish(second)
    trap.release()
    rig.verify_with_restarts()
    victim.start()
    rig.publish(third)
    rig.verify_with_restarts()


def test_the_leader_stands_still_and_wakes_up(rig: ClusterRig) -> None:
    first, second, third = deliveries("cluster-still", parts=3)
    rig.caught_up_worker()
    trap = rig.proxy.trap("INSERT INTO downloads_log", Stage.BEFORE)
    rig.publish(first)
    trap.wait()
    still = leader(rig)
    still.pause()
    try:
        rig.publish(second)
        trap.release()
        rig.verify_with_restarts()
        assert leader(rig) is not still
    finally:
        still.resume()
    rig.publish(third)
    rig.verify_with_restarts()


@pytest.mark.slow
def test_one_node_after_the_other_is_started_anew(rig: ClusterRig) -> None:
    pieces = deliveries("cluster-rolling", parts=len(rig.cluster.brokers))
    rig.caught_up_worker()
    for broker, piece in zip(rig.cluster.brokers.values(), pieces, strict=True):
        rig.publish(piece)
        broker.stop()
        broker.start()
    rig.verify_with_restarts()
