"""A worker is killed at any stage of a batch: no record is lost or counted twice."""

from collections.abc import Sequence

import pytest

from breakout.contract import Event
from breakout.contract.topics import DOWNLOADS, MODELS
from tests.support.clickhouse_proxy import Stage
from tests.support.events import model, observed, of_one_partition
from tests.support.rig import Rig, deliveries
from tests.support.waiting import wait_until

RAM_TABLES = ("baselines_log", "breakouts_log", "points_log", "latest_log")

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]


def kill_at(
    rig: Rig, insert: str, stage: Stage, first: Sequence[Event], second: Sequence[Event]
) -> None:
    """Kill the worker while it inserts rows of `first`; `second` arrives before the next starts.

    So the batches of the next worker differ from those of the killed one.
    """
    worker = rig.caught_up_worker()
    trap = rig.proxy.trap(f"INSERT INTO {insert}", stage)
    rig.publish(first)
    trap.wait()
    rig.publish(second)
    if insert in RAM_TABLES:
        # The downloads processor turns `second` into points: the next worker gets both together.
        inputs = (MODELS.name, DOWNLOADS.name)
        wait_until("points are published", lambda: not any(rig.lag()[topic] for topic in inputs))
    worker.kill()
    trap.release(forward=False)
    rig.verify()


@pytest.mark.parametrize(
    ("insert", "stage"),
    [
        pytest.param("daily_log", Stage.BEFORE, id="grid-published-rows-not"),
        pytest.param("downloads_log", Stage.HALFWAY, id="insert-half-sent", marks=pytest.mark.slow),
        pytest.param("downloads_log", Stage.APPLIED, id="rows-written-response-lost"),
        pytest.param(
            "latest_log",
            Stage.APPLIED,
            id="ram-written-not-acknowledged",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_killed_worker_loses_nothing(rig: Rig, insert: str, stage: Stage) -> None:
    first, second = deliveries(f"kill-{insert}-{stage.name}")
    kill_at(rig, insert, stage, first, second)


def test_breakout_of_a_killed_worker_is_retracted(rig: Rig) -> None:
    """A crossing and a baseline are written, their points are not; then the points are withdrawn.

    The next worker reads points and withdrawal in one batch, so to it nothing changed.
    """
    ids = [f"withdrawn/model-{number}" for number in range(10)]
    guest = "withdrawn/guest"
    rig.publish([model(one) for one in [*ids, guest]])
    rig.publish([observed(ids, age, [10**12 + number for number in range(10)]) for age in (6, 9)])
    kill_at(
        rig,
        "points_log",
        Stage.BEFORE,
        [observed([guest], age, [10**13]) for age in (6, 9)],
        [model(guest, tracked=False, hour=1).model_copy(update={"size_bin": None})],
    )


@pytest.mark.slow
def test_scrape_counts_of_a_killed_worker_are_corrected(rig: Rig) -> None:
    """A late observation makes another one changed, and a later one makes it unchanged again."""
    (one,) = of_one_partition("still", 1, rig.settings.partitions)
    rig.publish([observed([one], 1, [500]), observed([one], 5, [500])])
    kill_at(
        rig,
        "downloads_log",
        Stage.BEFORE,
        [observed([one], 2, [400])],
        [observed([one], 3, [500])],
    )
