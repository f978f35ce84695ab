"""A paused worker loses its partitions, and writes old rows when it is resumed."""

import signal
from collections.abc import Sequence

import pytest

from breakout.contract import Event
from tests.support.clickhouse_proxy import Stage
from tests.support.events import observed, of_one_partition
from tests.support.rig import Rig, deliveries

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]


def pause_through(rig: Rig, insert: str, first: Sequence[Event], later: Sequence[Event]) -> None:
    """Pause a worker during an insert of `first`, which arrives after all of `later`."""
    zombie = rig.caught_up_worker()
    trap = rig.proxy.trap(f"INSERT INTO {insert}", Stage.BEFORE)
    rig.publish(first)
    trap.wait()
    zombie.process.send_signal(signal.SIGSTOP)
    try:
        rig.publish(later)
        successor = rig.start_worker()
        rig.wait_caught_up(120)
        trap.release()
    finally:
        zombie.process.send_signal(signal.SIGCONT)
    rig.verify()
    # The zombie rejoins the group or exits.
    for worker in (zombie, successor):
        if worker.is_running and len(rig.running_workers()) > 1:
            assert worker.stop() == 0
    rig.verify()


@pytest.mark.parametrize(
    "insert", ["downloads_log", pytest.param("points_log", marks=pytest.mark.slow)]
)
def test_rows_of_a_zombie_are_superseded(rig: Rig, insert: str) -> None:
    first, later = deliveries(f"zombie-{insert}")
    pause_through(rig, insert, first, later)


@pytest.mark.slow
def test_rows_that_only_the_zombie_restated_are_superseded(rig: Rig) -> None:
    """Its successor reads more in one batch, after which the restated row is unchanged."""
    (late,) = of_one_partition("zombie", 1, rig.settings.partitions, 0)
    (repeated,) = of_one_partition("zombie", 1, rig.settings.partitions, 1)
    # At times without other scrapes.
    rig.publish([observed([late], age, [500]) for age in (201, 205)])
    rig.publish([observed([repeated], age, [500]) for age in (211, 215)])
    pause_through(
        rig,
        "downloads_log",
        [observed([late], 202, [400]), observed([repeated], 215, [600])],
        [observed([late], 203, [500]), observed([repeated], 215, [700])],
    )


@pytest.mark.slow
def test_zombie_rows_written_while_the_successor_loads_its_state(rig: Rig) -> None:
    """The state loaded before them and the rows read after them are inconsistent."""
    (one,) = of_one_partition("behind", 1, rig.settings.partitions)
    rig.publish([observed([one], age, [500]) for age in (221, 225)])
    zombie = rig.caught_up_worker()
    insert = rig.proxy.trap("INSERT INTO downloads_log", Stage.BEFORE)
    rig.publish([observed([one], 223, [400])])
    insert.wait()
    zombie.process.send_signal(signal.SIGSTOP)
    try:
        counting = rig.proxy.trap("AS span ON span.model_id", Stage.BEFORE)
        successor = rig.start_worker()
        counting.wait()
        insert.release()
        counting.release()
        rig.wait_for_log(successor, "another worker wrote rows: loading the state again")
    finally:
        zombie.process.send_signal(signal.SIGCONT)
    rig.verify()
    assert successor.stop() == 0
    rig.verify()
