"""States and knots of counters: each kind of behaviour by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from breakout.core.counters import State, classify
from breakout.core.times import DAY_MS

HOUR_MS = DAY_MS // 24
F, R, B, I, H, L, C = (  # noqa: E741
    State.FIRST,
    State.RISE,
    State.BETWEEN,
    State.IDLE,
    State.HELD,
    State.ROLLBACK,
    State.CORRECTION,
)


def states(hours: Sequence[float], raw: Sequence[int]) -> list[State]:
    at = np.array([round(hour * HOUR_MS) for hour in hours], np.int64)
    found = classify(np.zeros(len(at), np.int64), at, np.array(raw, np.int64))
    return [State(one) for one in found.state]


def daily(raw: Sequence[int]) -> list[State]:
    return states([24 * day for day in range(len(raw))], raw)


def test_counter_renewed_every_day_rises() -> None:
    assert daily([100, 200, 300]) == [F, R, R]


def test_hourly_observations_within_a_day_are_between_renewals() -> None:
    assert states([0, 24, 25, 47, 48], [0, 900, 900, 900, 1800]) == [F, R, B, B, R]


def test_busy_counter_that_stands_still_is_held() -> None:
    assert daily([0, 100, 200, 200, 400]) == [F, R, R, H, R]


def test_quiet_counter_that_stands_still_is_idle() -> None:
    assert daily([0, 19, 38, 38, 38]) == [F, R, R, I, H]
    assert daily([0, 9, 18, 18, 18]) == [F, R, R, I, I]


def test_expected_downloads_grow_with_the_wait() -> None:
    # 19 a day: 19.0 expected after 24 h, 20.0 after 25.3 h.
    assert states([0, 24, 48, 49.2, 49.3], [0, 19, 19, 19, 19]) == [F, R, I, I, H]
    assert states([0, 24, 49.2, 49.3], [0, 19, 19, 19]) == [F, R, I, H]


def test_run_longer_than_four_days_is_idle_from_its_first_day_on() -> None:
    assert daily([0, 100, 100, 100, 100, 100]) == [F, R, H, H, H, H]
    assert states([0, 24, 30, 48, 72, 96, 120, 120.1], [0, *[100] * 7]) == [F, R, B, I, I, I, I, I]


def test_run_after_the_first_observation_is_idle() -> None:
    assert daily([500, 500, 500]) == [F, I, I]


def test_rate_is_of_the_seven_days_before_the_change() -> None:
    # Nothing for eight days, then 30 in one: 30 / 7 a day, so a day's silence is no wonder.
    hours = [0, *(24 * day for day in range(1, 12))]
    raw = [1000, *[1000] * 8, 1030, 1030, 1030]
    assert states(hours, raw)[-2:] == [I, I]


def test_fall_that_comes_back_within_fourteen_days_is_a_rollback() -> None:
    assert daily([0, 100, 60, 70, 70, 100, 120]) == [F, R, L, L, L, R, R]
    back = [1000, 900, *[900] * 13, 1000]
    assert daily(back) == [F, *[L] * 14, R]
    late = [1000, 900, *[900] * 14, 1000]
    assert daily(late)[1] == C


def test_fall_that_does_not_come_back_is_a_correction() -> None:
    at = np.arange(4) * DAY_MS
    found = classify(np.zeros(4, np.int64), at, np.array([500, 159, 170, 180]))
    assert found.state.tolist() == [F, C, R, R]
    assert found.correction.tolist() == [0, 341, 0, 0]
    assert found.knot.all()


def test_further_fall_after_a_correction_is_one_of_its_own() -> None:
    assert daily([1000, 500, 400, 450, 500]) == [F, C, L, L, R]


def test_falls_within_a_rollback_belong_to_it() -> None:
    assert daily([1000, 500, 400, 450, 300, 1000]) == [F, L, L, L, L, R]


def test_series_do_not_touch_each_other() -> None:
    series = np.array([0, 0, 1, 1, 1])
    at = np.array([0, 1, 0, 1, 2]) * DAY_MS
    found = classify(series, at, np.array([1000, 2000, 5, 500, 1000]))
    assert found.state.tolist() == [F, R, F, R, R]


def test_great_counters_do_not_overflow() -> None:
    assert daily([0, 2**62, 2**62, 2**62 + 1]) == [F, R, H, R]


@pytest.mark.parametrize("size", [0, 1])
def test_short_columns(size: int) -> None:
    found = classify(np.zeros(size, np.int64), np.arange(size), np.arange(size))
    assert found.state.tolist() == [F] * size
