"""ClickHouse's disk is full: workers wait, and lose nothing."""

import contextlib
from collections.abc import Iterator

import pytest

from tests.support.brokers import running_broker
from tests.support.clickhouse_proxy import running_clickhouse_proxy
from tests.support.embedded_servers import running_clickhouse
from tests.support.rig import Rig, deliveries
from tests.support.small_disk import SmallDisk, requires_small_disk, small_disk

pytestmark = [requires_small_disk, pytest.mark.fault, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    with small_disk(tmp_path_factory.mktemp("small") / "disk", 192) as mounted:
        yield mounted


@pytest.fixture(scope="module")
def rig(disk: SmallDisk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    directory = tmp_path_factory.mktemp("rig")
    with (
        running_broker(directory) as broker,
        running_clickhouse(disk.path / "clickhouse") as clickhouse,
        running_clickhouse_proxy(clickhouse.port) as proxy,
        contextlib.closing(Rig(directory, broker.bootstrap, clickhouse, proxy)) as running,
    ):
        yield running


@pytest.mark.slow
def test_worker_waits_while_the_disk_is_full(rig: Rig, disk: SmallDisk) -> None:
    first, second, third = deliveries("disk-full", parts=3)
    worker = rig.caught_up_worker()
    rig.publish(first)
    rig.verify()
    disk.fill()
    rig.publish(second)
    rig.wait_for_log(worker, "NOT_ENOUGH_SPACE")
    assert "waiting for ClickHouse" in worker.log.read_text()
    disk.free()
    rig.publish(third)
    rig.verify()
    assert worker.is_running


def test_clickhouse_killed_on_a_full_disk_restarts_with_its_data(rig: Rig, disk: SmallDisk) -> None:
    first, second = deliveries("disk-full-killed")
    worker = rig.caught_up_worker()
    disk.fill()
    rig.publish(first)
    rig.wait_for_log(worker, "NOT_ENOUGH_SPACE")
    rig.clickhouse.kill()
    disk.free()
    rig.clickhouse.start()
    rig.publish(second)
    rig.verify()
