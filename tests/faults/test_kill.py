"""A worker is killed at the worst moments of a batch: nothing is lost, nothing counts twice."""

from collections.abc import Sequence

import pytest

from breakout.contract import Event
from breakout.contract.topics import DOWNLOADS, MODELS
from tests.support.clickhouse_proxy import Stage
from tests.support.events import model, observed, of_one_partition
from tests.support.rig import Rig, deliveries
from tests.support.waiting import wait_until

SCORES = ("baselines_log", "breakouts_log", "points_log", "latest_log")

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]


def kill_at(
    rig: Rig, insert: str, moment: Stage, first: Sequence[Event], second: Sequence[Event]
) -> None:
    """Kill the worker while it inserts what `first` makes; `second` comes before the next starts.

    So the next worker's batches are not the killed one's.
    """
    worker = rig.caught_up_worker()
    trap = rig.proxy.trap(f"INSERT INTO {insert}", moment)
    rig.publish(first)
    trap.wait()
    rig.publish(second)
    if insert in SCORES:
        # Its other half goes on and turns these into points: the next finds them all at once.
        half = (MODELS.name, DOWNLOADS.name)
        wait_until("they are points", lambda: not any(rig.lag()[topic] for topic in half))
    worker.kill()
    trap.release(forward=False)
    rig.verify()


@pytest.mark.parametrize(
    ("insert", "moment"),
    [
        pytest.param("scrapes_log", Stage.BEFORE, id="points-published-rows-not"),
        pytest.param(
            "downloads_log", Stage.HALFWAY, id="half-of-the-insert-sent", marks=pytest.mark.slow
        ),
        pytest.param("downloads_log", Stage.APPLIED, id="rows-written-answer-unheard"),
        pytest.param(
            "latest_log",
            Stage.APPLIED,
            id="scores-written-not-acknowledged",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_kill(rig: Rig, insert: str, moment: Stage) -> None:
    first, second = deliveries(f"kill-{insert}-{moment.name}")
    kill_at(rig, insert, moment, first, second)


def test_scores_that_the_next_worker_would_not_have_written(rig: Rig) -> None:
    """A crossing and a baseline reach ClickHouse, their points do not; then they are undone.

    The next worker sees points and their retraction in one batch, so for it nothing changed.
    """
    ids = [f"hover/model-{number}" for number in range(10)]
    guest = "hover/guest"
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
def test_counts_of_a_scrape_that_the_next_worker_would_not_have_written(rig: Rig) -> None:
    """A late observation makes another move that stood still, and a later one undoes that."""
    (one,) = of_one_partition("still", 1, rig.settings.partitions)
    rig.publish([observed([one], 1, [500]), observed([one], 5, [500])])
    kill_at(
        rig,
        "downloads_log",
        Stage.BEFORE,
        [observed([one], 2, [400])],
        [observed([one], 3, [500])],
    )
