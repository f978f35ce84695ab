"""The state of a size bin: what a restarted worker writes again."""

from datetime import UTC, datetime

import numpy as np

from breakout.core.arrays import NULL
from breakout.core.ram import LIVE
from breakout.core.times import DAY_MS, to_ms
from streams.ram.changes import Breakout, Changes, LatestRow
from streams.ram.state import BinState
from tests.streams.ram.memory import MemoryRam
from tests.streams.ram.slices import Entry, GridRow, day_of, grid, slice_of

DAY0 = to_ms(datetime(2026, 3, 1, tzinfo=UTC))
PEERS = [f"org/m{number}" for number in range(10)]


def restored() -> BinState:
    """Return ten peers with 100 downloads at 7 days, and a model with 200."""
    state = BinState("7-9B", 7, 90)
    models = [*PEERS, "org/new"]
    state.matrix.restore_models(
        [
            LatestRow(model_id, DAY0, model_id in PEERS, DAY0 + 7 * DAY_MS, 100, DAY0, 1)
            for model_id in models
        ]
    )
    counts = np.array([100] * 10 + [200], dtype=np.int64)
    state.matrix.restore_points(models, np.full(11, 7), counts, np.full(11, NULL))
    state.settle()
    return state


def burst(ram: float) -> Breakout:
    """Return a breakout at 7 days with downloads of no single day."""
    return Breakout(7, ram, DAY0 + 7 * DAY_MS, None, None, None, 100 / (7 * 100))


def recomputed(state: BinState) -> Changes:
    changes = Changes(state.size_bin, state.version)
    state.recompute(changes)
    return changes


def test_rows_equal_to_those_stored_are_not_written_again() -> None:
    state = restored()
    breakouts = {
        LIVE: {
            model_id: burst(ram)
            for model_id, ram in [*((peer, 1.0) for peer in PEERS), ("org/new", 2.0)]
        }
    }
    breakouts |= {"live_fixed": breakouts[LIVE], "live_cutoff": breakouts[LIVE]}
    state.compare(dict(state.baselines.by_name), breakouts)
    changes = recomputed(state)
    assert (changes.baselines, changes.breakouts) == ([], [])


def test_rows_that_do_not_follow_from_the_points_are_rewritten() -> None:
    state = restored()
    gone = Breakout(9, 1.5, DAY0 + 9 * DAY_MS, None, None, None, 0.1)
    state.compare({}, {LIVE: {"org/gone": gone}})
    changes = recomputed(state)
    live = [row for row in changes.breakouts if row.baseline == LIVE]
    assert {row.model_id: row.status for row in live} == dict.fromkeys(
        [*PEERS, "org/new"], "crossed"
    ) | {"org/gone": "retracted"}
    assert {(row.baseline, row.age, row.peers) for row in changes.baselines} >= {(LIVE, 7, 10)}
    assert recomputed(state).breakouts == []


def test_breakout_confirmed_or_ended_later_says_so_once() -> None:
    ram = MemoryRam()
    peers = [Entry(peer, grid([100] * 60)) for peer in PEERS]
    spike = [0, 1, 2, 3, 500, 501, 502, 503]
    ram.process(slice_of(*peers, Entry("org/new", grid(spike), tracked=False)))
    assert statuses(ram) == ["crossed"]
    (row,) = (row for key, row in ram.breakout_rows().items() if key == (LIVE, "org/new"))
    assert (row.age, row.ram, row.ram_capped) == (7, 5.03, 0.16)
    assert row.top_day_share == 497 / 503
    steady = {day_of(7 + day): GridRow(503 + 40 * day, 40) for day in range(1, 9)}
    ram.process(slice_of(Entry("org/new", steady, tracked=False, known=2)))
    assert statuses(ram) == ["crossed", "confirmed"]
    confirmed = ram.breakout_rows()[LIVE, "org/new"]
    assert (confirmed.confirmed_at, confirmed.ram_capped) == (DAY0 + 12 * DAY_MS, 0.16)
    fallen = Entry("org/new", {day_of(16): GridRow(50, 0)}, tracked=False, known=3)
    ram.process(slice_of(fallen))
    assert statuses(ram) == ["crossed", "confirmed", "ended"]


def statuses(ram: MemoryRam) -> list[str]:
    """Return the events of the new model against the live baseline."""
    return [status for name, one, status in ram.events if (name, one) == (LIVE, "org/new")]
