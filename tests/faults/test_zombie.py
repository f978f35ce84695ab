"""A worker sleeps through the loss of its partitions and wakes up with old rows in hand."""

import signal
from collections.abc import Sequence

import pytest

from breakout.contract import Event
from tests.faults.events import of_one_partition, seen
from tests.support.clickhouse_proxy import Moment
from tests.support.rig import Rig, deliveries

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]


def sleep_through(rig: Rig, insert: str, first: Sequence[Event], later: Sequence[Event]) -> None:
    """Put a worker to sleep while its insert is on the way; it arrives after all of `later`."""
    zombie = rig.worker()
    trap = rig.proxy.trap(f"INSERT INTO {insert}", Moment.BEFORE)
    rig.tell(first)
    trap.wait()
    zombie.process.send_signal(signal.SIGSTOP)
    try:
        rig.tell(later)
        successor = rig.start_worker()
        rig.wait_caught_up(120)
        trap.release()
    finally:
        zombie.process.send_signal(signal.SIGCONT)
    rig.judge()
    # The zombie finds out, and takes part again or ends.
    for worker in (zombie, successor):
        if worker.process.poll() is None and len(rig.alive()) > 1:
            assert worker.stop() == 0
    rig.judge()


@pytest.mark.parametrize(
    "insert", ["downloads_log", pytest.param("points_log", marks=pytest.mark.slow)]
)
def test_rows_of_a_zombie_lose(rig: Rig, insert: str) -> None:
    first, later = deliveries(f"zombie-{insert}")
    sleep_through(rig, insert, first, later)


@pytest.mark.slow
def test_rows_that_only_the_zombie_restated_lose(rig: Rig) -> None:
    """Its successor sees more in one batch, after which the restated row is as it was."""
    (still,) = of_one_partition("zombie", 1, rig.settings.partitions, 0)
    (said,) = of_one_partition("zombie", 1, rig.settings.partitions, 1)
    # Moments of their own, at which no other scrape moves.
    rig.tell([seen([still], age, [500]) for age in (201, 205)])
    rig.tell([seen([said], age, [500]) for age in (211, 215)])
    sleep_through(
        rig,
        "downloads_log",
        [seen([still], 202, [400]), seen([said], 215, [600])],
        [seen([still], 203, [500]), seen([said], 215, [700])],
    )


def test_rows_that_arrive_while_the_successor_reads_its_state(rig: Rig) -> None:
    """What it read before them and what it reads after them do not belong together."""
    (one,) = of_one_partition("behind", 1, rig.settings.partitions)
    rig.tell([seen([one], age, [500]) for age in (221, 225)])
    zombie = rig.worker()
    insert = rig.proxy.trap("INSERT INTO downloads_log", Moment.BEFORE)
    rig.tell([seen([one], 223, [400])])
    insert.wait()
    zombie.process.send_signal(signal.SIGSTOP)
    try:
        counting = rig.proxy.trap("countIf(standing IS NOT NULL) AS compared", Moment.BEFORE)
        successor = rig.start_worker()
        counting.wait()
        insert.release()
        counting.release()
        rig.wait_for_log(successor, "another worker wrote rows: loading the state again")
    finally:
        zombie.process.send_signal(signal.SIGCONT)
    rig.judge()
    assert successor.stop() == 0
    rig.judge()
