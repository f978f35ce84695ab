"""The pure core against figures worked out by hand."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from breakout.core import ram
from breakout.core.ages import MILESTONES, age_at_end
from breakout.core.arrays import NULL
from breakout.core.times import DAY_MS, day_ms, from_ms

PEERS = [100, 90, 80, 70, 60, 50, 40, 30, 20, 10, 5]


def column(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)


def live_at_day_7(*cumulative: int) -> tuple[ram.Baseline, float]:
    points = column(*cumulative)[None, :]
    day0 = np.zeros(len(cumulative), dtype=np.int64)
    baseline, tenth = ram.live(points, day0, column(7))
    return baseline, float(tenth[0])


@pytest.mark.parametrize(
    ("cumulative", "of_median", "of_tenth"), [(110, 2.0, 11.0), (55, 1.0, 5.5), (10, 0.1818, 1.0)]
)
def test_ram_of_the_synthetic_bin(cumulative: int, of_median: float, of_tenth: float) -> None:
    baseline, tenth = live_at_day_7(*PEERS)
    assert baseline.downloads[0] == 55
    assert tenth == 10
    assert cumulative / baseline.downloads[0] == pytest.approx(of_median, abs=5e-5)
    assert cumulative / tenth == of_tenth


def test_a_model_counts_among_its_own_peers() -> None:
    baseline, tenth = live_at_day_7(110, *PEERS)
    assert (baseline.downloads[0], tenth) == (65, 20)
    assert 110 / baseline.downloads[0] == pytest.approx(1.6923, abs=5e-5)


def test_nine_peers_are_no_baseline() -> None:
    baseline, tenth = live_at_day_7(*PEERS[:9], NULL, NULL)
    assert baseline.peers[0] == 9
    assert np.isnan(baseline.downloads[0])
    assert np.isnan(tenth)
    assert np.isnan(ram.ram(column(100)[None, :], baseline.downloads)).all()


def test_the_cutoff_never_falls_from_one_milestone_to_the_next() -> None:
    tenth = np.array([10, 25, 60, 120, 200, 180, 260], dtype=float)
    ten = np.full(7, 10)
    milestones = ram.Baseline(ten, np.full(7, 1.0), np.zeros(7, dtype=np.int64))
    cutoff = ram.live_cutoff(milestones, tenth)
    assert cutoff.downloads[list(MILESTONES)].tolist() == [10, 25, 60, 120, 200, 200, 260]
    assert 190 / cutoff.downloads[180] == 0.95
    assert cutoff.downloads[22] == 25 + (60 - 25) * 8 / 16
    assert np.isnan(cutoff.downloads[6])


def test_medians_of_the_greatest_counters_do_not_overflow() -> None:
    baseline, _ = live_at_day_7(*[2**63 - 1] * 10)
    assert baseline.downloads[0] == float(2**63)


@pytest.mark.parametrize(
    ("released", "age", "day"),
    [
        (date(2025, 8, 5), 7, date(2025, 8, 12)),
        (date(2025, 8, 5), 365, date(2026, 8, 5)),
        (date(2025, 8, 4), 7, date(2025, 8, 11)),
        (date(2026, 7, 16), 30, date(2026, 8, 15)),
        (date(2026, 6, 13), 30, date(2026, 7, 13)),
    ],
)
def test_ages_count_from_the_corrected_release_date(released: date, age: int, day: date) -> None:
    assert from_ms(day_ms(released) + age * DAY_MS) == datetime(
        day.year, day.month, day.day, tzinfo=UTC
    )
    last_day = column(day_ms(day) // DAY_MS - 1)
    assert age_at_end(last_day, column(day_ms(released))) == age
