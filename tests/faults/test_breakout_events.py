"""Events of the topic of breakouts, and breakouts of frozen baselines."""

import subprocess
import sys

import pytest

from breakout.contract import BreakoutEvent
from breakout.contract.topics import BREAKOUTS
from breakout.core.sizes import SIZE_BINS
from tests.oracle.batch import freeze, recompute
from tests.support.events import model, observed
from tests.support.pipeline import REPOSITORY
from tests.support.rig import Rig
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]

PEERS = [f"peer/model-{number}" for number in range(10)]
GUEST = "peer/guest"
SCALE = 10**14
"""Far above the other models of the size bin."""


def latest_events(rig: Rig) -> dict[tuple[str, str], BreakoutEvent]:
    """Return the latest event by baseline and model, as a consumer of the topic does."""
    events = [BreakoutEvent.model_validate_json(one.value) for one in rig.consume(BREAKOUTS.name)]
    return {(event.baseline, event.model_id): event for event in events}


def table(rig: Rig) -> dict[tuple[str, str], tuple[object, ...]]:
    return {
        (row["baseline"], row["model_id"]): (
            row["crossed_at"],
            row["age_days"],
            row["ram"],
            row["ended_at"],
        )
        for row in rig.rows("SELECT * FROM breakouts")
    }


def active(rig: Rig) -> dict[tuple[str, str], tuple[object, ...]]:
    return {
        key: (event.crossed_at, event.age_days, event.ram, event.ended_at)
        for key, event in latest_events(rig).items()
        if event.status != "retracted"
    }


def test_topic_equals_table_when_a_crossing_is_retracted(rig: Rig) -> None:
    rig.caught_up_worker()
    rig.publish([model(one) for one in [*PEERS, GUEST]])
    rig.publish([observed(PEERS, age, [SCALE + n for n in range(10)]) for age in (6, 9)])
    rig.publish([observed([GUEST], age, [2 * SCALE]) for age in (6, 9)])
    rig.verify()
    assert latest_events(rig)["live", GUEST].status == "crossed"
    assert active(rig) == table(rig)
    rig.publish([observed(PEERS, 6.5, [5 * SCALE + n for n in range(10)])])
    rig.verify()
    assert latest_events(rig)["live", GUEST].status == "retracted"
    assert ("live", GUEST) not in table(rig)
    assert active(rig) == table(rig)


def freeze_live(rig: Rig, name: str) -> None:
    """Freeze the live baseline with the command."""
    rig.frozen += freeze(recompute(rig.observations, rig.models), name)
    command = [sys.executable, "-m", "breakout", "baseline", "freeze", name]
    subprocess.run(command, cwd=REPOSITORY, env=rig.environment, check=True, timeout=170)


def breakouts_of(rig: Rig, name: str) -> int:
    count: int = rig.rows(f"SELECT count() AS n FROM breakouts WHERE baseline = '{name}'")[0]["n"]
    return count


@pytest.mark.slow
def test_baseline_frozen_with_and_without_a_running_worker(rig: Rig) -> None:
    every_bin = [
        model(f"frozen/{number}", size_bin=size_bin) for number, size_bin in enumerate(SIZE_BINS)
    ]
    ids = [one.model_id for one in every_bin]
    crossing = [f"frozen/peer-{number}" for number in range(11)]
    counts = [10 * SCALE + number for number in range(10)] + [20 * SCALE]
    rig.publish([*map(model, crossing), *(observed(crossing, age, counts) for age in (6, 9))])
    worker = rig.caught_up_worker()
    # A worker has only the size bins of which it has read points.
    rig.publish([*every_bin, observed(ids, 1, [5] * len(ids)), observed(ids, 2, [6] * len(ids))])
    rig.verify()
    freeze_live(rig, "2026-Q1")
    wait_until("its breakouts appear", lambda: breakouts_of(rig, "2026-Q1"), seconds=120)
    rig.verify()
    assert active(rig) == table(rig)

    assert worker.stop() == 0
    for other in rig.running_workers():
        other.stop()
    freeze_live(rig, "2026-Q2")
    rig.publish([observed(ids, 3, [7] * len(ids))])
    rig.verify()
    assert breakouts_of(rig, "2026-Q2")
    assert active(rig) == table(rig)
