"""The daily grid: by hand, and what must hold for every history."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from breakout.core.arrays import NULL
from breakout.core.counters import classify
from breakout.core.grid import Basis, Grid, daily
from breakout.core.times import DAY_MS

HOUR_MS = DAY_MS // 24


def grid(hours: list[float], raw: list[int]) -> Grid:
    series = np.zeros(len(raw), np.int64)
    at = np.array([round(hour * HOUR_MS) for hour in hours], np.int64)
    values = np.array(raw, np.int64)
    return daily(series, at, values, classify(series, at, values))[0]


def test_days_end_at_midnight_and_the_first_is_partial() -> None:
    found = grid([12, 36, 60], [100, 200, 400])
    assert found.day.tolist() == [0, 1]
    assert found.cumulative.tolist() == [150, 300]
    assert found.downloads.tolist() == [NULL, 150]


def test_day_whose_end_is_the_last_knot_is_complete() -> None:
    found = grid([0, 24, 48], [100, 200, 400])
    assert found.cumulative.tolist() == [200, 400]
    assert found.downloads.tolist() == [NULL, 200]


def test_held_day_shares_the_growth_of_both() -> None:
    found = grid([0, 24, 48, 72, 96], [0, 100, 200, 200, 500])
    assert found.cumulative.tolist() == [100, 200, 350, 500]
    assert found.basis.tolist() == [Basis.OBSERVED, Basis.OBSERVED, Basis.HELD, Basis.HELD]


def test_correction_steps_down_at_its_knot() -> None:
    found = grid([0, 24, 60, 96], [1000, 1100, 400, 490])
    assert found.cumulative.tolist() == [1100, 1100, 430, 490]
    assert found.downloads.tolist() == [NULL, 0, 30, 60]
    assert found.correction.tolist() == [0, 0, 700, 0]


def test_correction_at_midnight_belongs_to_the_day_that_begins() -> None:
    found = grid([0, 24, 48, 72], [1000, 1100, 400, 490])
    assert found.cumulative.tolist() == [1100, 1100, 490]
    assert found.correction.tolist() == [0, 0, 700]


def test_rollback_is_bridged() -> None:
    found = grid([0, 24, 48, 72], [1000, 600, 700, 1300])
    assert found.cumulative.tolist() == [1100, 1200, 1300]
    assert set(found.basis.tolist()) == {Basis.HELD}


def test_long_interval_is_a_gap_and_carries_the_total_over() -> None:
    found = grid([0, 120], [0, 500])
    assert found.cumulative.tolist() == [100, 200, 300, 400, 500]
    assert set(found.basis.tolist()) == {Basis.GAP}


def test_growth_over_a_long_gap_is_exact() -> None:
    # 400 million downloads times the milliseconds of a year pass 2^63.
    found = grid([0, 24 * 365], [0, 400_000_000])
    assert found.cumulative.tolist() == [400_000_000 * day // 365 for day in range(1, 366)]


def test_one_knot_or_one_day_has_no_row() -> None:
    assert len(grid([5], [100]).day) == 0
    assert len(grid([5, 23], [100, 200]).day) == 0


STEPS = st.lists(
    st.tuples(
        st.integers(1, 40),
        st.one_of(st.just(0), st.integers(-500, 500), st.integers(0, 10**9)),
    ),
    min_size=1,
    max_size=60,
)


def history(steps: list[tuple[int, int]]) -> tuple[list[float], list[int]]:
    hours, raw = [0.0], [1000]
    for wait, change in steps:
        hours.append(hours[-1] + wait)
        raw.append(max(raw[-1] + change, 0))
    return hours, raw


@given(STEPS)
def test_totals_are_exact(steps: list[tuple[int, int]]) -> None:
    found = grid(*history(steps))
    before, after = found.cumulative[:-1], found.cumulative[1:]
    assert (after == before + found.downloads[1:] - found.correction[1:]).all()
    assert (found.downloads[1:] >= 0).all()
    assert (found.correction >= 0).all()


@given(STEPS, st.randoms())
def test_observations_between_renewals_change_no_row(
    steps: list[tuple[int, int]], random: Random
) -> None:
    hours, raw = history(steps)
    more: list[tuple[float, int]] = []
    for (hour, value), until in zip(
        zip(hours, raw, strict=True), [*hours[1:], hours[-1]], strict=True
    ):
        more.append((hour, value))
        renewed = not more[:-1] or more[-2][1] != value
        if renewed:
            extra = hour + random.random() * min(until - hour, 23.9)
            if hour < extra < until:
                more.append((extra, value))
    with_more = grid(*map(list, zip(*more, strict=True)))
    without = grid(hours, raw)
    assert (with_more.day == without.day).all()
    assert (with_more.cumulative == without.cumulative).all()
    assert (with_more.downloads == without.downloads).all()


@given(st.lists(st.tuples(STEPS), min_size=2, max_size=5))
def test_many_series_are_computed_as_each_alone(many: list[tuple[list[tuple[int, int]]]]) -> None:
    alone = [grid(*history(steps)) for (steps,) in many]
    parts = [history(steps) for (steps,) in many]
    series = np.concatenate([np.full(len(raw), n) for n, (_, raw) in enumerate(parts)])
    at = np.concatenate([np.array(hours) * HOUR_MS for hours, _ in parts]).astype(np.int64)
    raw = np.concatenate([np.array(raw, np.int64) for _, raw in parts])
    together, _ = daily(series, at, raw, classify(series, at, raw))
    assert together.series.tolist() == [n for n, one in enumerate(alone) for _ in one.day]
    for name in ("day", "cumulative", "downloads", "correction", "basis"):
        expected = np.concatenate([getattr(one, name) for one in alone])
        assert (getattr(together, name) == expected).all(), name
