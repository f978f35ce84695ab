"""Crossings, capped downloads and confirmations, against figures by hand and a slow computation."""

from collections.abc import Sequence
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakout.core import ram
from breakout.core.arrays import NULL, Int
from breakout.core.breakouts import capped, confirmations, first_crossings

GREATEST = 2**63 - 1
Row = tuple[int | None, int | None]
"""A point and the downloads of the day that ends at its age."""


def column(values: Sequence[int | None]) -> Int:
    return np.array([NULL if one is None else one for one in values], dtype=np.int64)[:, None]


def capped_of(points: Sequence[int | None], downloads: Sequence[int | None]) -> list[int | None]:
    found = capped(column(points), column(downloads), np.zeros(1, np.int64))[:, 0].tolist()
    return [None if one == NULL else one for one in found]


def slow_capped(rows: list[Row]) -> list[int | None]:
    """Return the capped downloads by age, as the definition says."""
    points = [point for point, _ in rows]
    known = {age: day for age, (_, day) in enumerate(rows) if age > 0 and day is not None}
    answer: list[int | None] = []
    for age, point in enumerate(points):
        days = [day for other, day in known.items() if other <= age]
        if point is None or len(days) < 2:
            answer.append(None)
            continue
        cap = 10 * median(days)
        first_point = next(other for other, one in enumerate(points) if one is not None)
        at_first = points[first_point]
        assert at_first is not None
        before = at_first - sum(day for other, day in known.items() if other <= first_point)
        corrections = before + sum(days) - point
        total = min(before, cap * max(min(known) - 1, 1)) + sum(min(day, cap) for day in days)
        value = max(total - corrections, 0)
        assert value == int(value)
        answer.append(int(value))
    return answer


@st.composite
def histories(draw: st.DrawFn) -> list[Row]:
    """Return points of one series: a late start, gaps, spikes and corrections."""
    start = draw(st.integers(0, 6))
    total = draw(st.integers(0, 10_000))
    rows: list[Row] = [(None, None)] * start
    rows.append((None if draw(st.booleans()) else total, draw(st.sampled_from([None, 5]))))
    counts = st.one_of(st.integers(0, 20), st.integers(0, 20), st.integers(0, 10_000))
    for day in draw(st.lists(counts, max_size=30)):
        total += day
        if draw(st.integers(0, 9)) == 0:
            total -= draw(st.integers(0, total))
        rows.append((None if draw(st.integers(0, 5)) == 0 else total, day))
    return rows


@given(st.lists(histories(), min_size=1, max_size=4), st.lists(st.integers(0, 40), min_size=4))
def test_capped_equals_slow_computation(series: list[list[Row]], since: list[int]) -> None:
    ages = max(map(len, series))
    filled = [rows + [(None, None)] * (ages - len(rows)) for rows in series]
    points = np.hstack([column([point for point, _ in rows]) for rows in filled])
    downloads = np.hstack([column([day for _, day in rows]) for rows in filled])
    first = np.array(since[: len(series)])
    found = capped(points, downloads, first)
    expected = np.hstack([column(slow_capped(rows)) for rows in filled])
    expected[np.arange(ages)[:, None] < first] = NULL
    assert found.tolist() == expected.tolist()


def test_no_day_counts_more_than_ten_median_days() -> None:
    points = [None, 100, 120, 140, 160, 1_160]
    downloads = [None, None, 20, 20, 20, 1_000]
    assert capped_of(points, downloads) == [None, None, None, 140, 160, 360]


def test_median_of_even_count_is_mean_of_middle_two() -> None:
    assert capped_of([0, 3, 7, 8, 108], [None, 3, 4, 1, 100]) == [None, None, 7, 8, 43]


def test_burst_before_first_known_day_is_capped_by_its_days() -> None:
    """27,971 downloads in the nine hours before the first observation, then 120 a day."""
    points = [None, None, 28_000, 28_120, 28_240, 28_360]
    downloads = [None, None, None, 120, 120, 120]
    assert capped_of(points, downloads)[-1] == 2 * 1_200 + 3 * 120


def test_days_in_gap_count_without_being_points() -> None:
    points = [0, 10, None, None, 40, 1_040]
    downloads = [None, 10, 10, 10, 10, 1_000]
    assert capped_of(points, downloads) == [None, None, None, None, 40, 140]


def test_correction_lowers_capped_downloads_and_never_below_zero() -> None:
    assert capped_of([0, 10, 20, 30, 5], [None, 10, 10, 10, 5]) == [None, None, 20, 30, 5]
    assert capped_of([0, 1, 2, 3, 500, 2], [None, 1, 1, 1, 497, 0])[-1] == 0


def test_greatest_counters_do_not_overflow() -> None:
    points = [0, GREATEST, 0, GREATEST, 0, GREATEST]
    downloads = [None, GREATEST, 0, GREATEST, 0, GREATEST]
    assert capped_of(points, downloads) == [None, None, 0, GREATEST, 0, GREATEST]
    bounced = [0, 1, 1, 1, *[GREATEST, 1] * 5]
    days = [None, 1, 0, 0, *[GREATEST - 1, 0] * 5]
    assert capped_of(bounced, days)[-1] == 0


def test_fewer_than_three_rows_have_no_capped_downloads() -> None:
    assert capped_of([None, 5, 10, 20], [None, None, 5, 10]) == [None, None, None, 20]


def confirmed(
    points: Sequence[int | None], downloads: Sequence[int | None], *, baseline: float, age: int
) -> tuple[int, float, float]:
    matrix, days, ages = column(points), column(downloads), np.array([age])
    values = capped(matrix, days, ages)
    found = confirmations(ages, ram.ram(values, np.full(len(points), baseline)), matrix, days)
    return int(found.age[0]), float(found.ram_capped[0]), float(found.top_day_share[0])


def test_burst_is_confirmed_at_first_age_with_capped_ram_of_one() -> None:
    downloads = [None, 10, 10, 10, 1_000, 200, 700, 700]
    points = [0, 10, 20, 30, 1_030, 1_230, 1_930, 2_630]
    age, ram_capped, share = confirmed(points, downloads, baseline=1_000, age=4)
    # The median is 10 up to day 5, then 105 and 200.
    assert age == 6
    assert ram_capped == pytest.approx(0.13)
    assert share == pytest.approx(1_000 / 1_030)
    assert confirmed(points[:6], downloads[:6], baseline=1_000, age=4)[0] == -1


def test_crossing_without_capped_ram_is_burst_until_third_row() -> None:
    points = [None, 1_000, 1_500, 2_000, 2_500]
    downloads = [None, None, 500, 500, 500]
    age, ram_capped, share = confirmed(points, downloads, baseline=1_000, age=2)
    assert age == 3
    assert np.isnan(ram_capped)
    assert share == pytest.approx(1_000 / 1_500)


def test_share_of_days_before_the_first_known_one_is_rounded_once() -> None:
    points = [None, None, None, 1, 50]
    _, _, share = confirmed(points, [None, None, None, None, 0], baseline=1, age=4)
    assert share == 1 / 150 != 1 / 3 / 50


def test_first_crossing_counts_and_hysteresis_ends_it() -> None:
    matrix = np.full((366, 3), np.nan)
    matrix[3:100, 0] = 2.0  # above from before the window on
    matrix[7:40, 1] = 0.99
    matrix[40:60, 1] = 1.0
    matrix[60:70, 1] = 0.9
    matrix[70:80, 1] = 0.89
    matrix[80:90, 1] = 3.0
    matrix[91:, 2] = 5.0  # too late
    found = first_crossings(matrix, 7, 90)
    assert found.model.tolist() == [0, 1]
    assert found.age.tolist() == [7, 40]
    assert found.ram.tolist() == [2.0, 1.0]
    assert found.ended_age.tolist() == [-1, 70]
