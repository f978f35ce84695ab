"""Breakouts: the first crossing of 1.0x, with hysteresis, and whether it is more than a burst.

Definitions: docs/definitions.md. Matrices have a row for each whole-day age from 0, and a column a
model.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakout.core.arrays import NULL, Flag, Float, Int

CROSSING_RAM = 1.0
ENDING_RAM = 0.9

CAP = 10
"""A day counts with at most this many times the median day."""
CAP_MIN_DAYS = 2
"""Days with downloads; with the first, partial one they are three rows of the grid."""

_HALF = np.uint64(CAP // 2)
_GREATEST = np.uint64(np.iinfo(np.int64).max)
_PAIRS = 4_096
"""Models' days sorted at once: 12 MB."""


@dataclass(frozen=True)
class Crossings:
    """First crossings, one entry a model that has one."""

    model: Int
    """Column of the model in the RAM matrix."""
    age: Int
    """Whole-day age at which RAM reached 1.0."""
    ram: Float
    """RAM at that age."""
    ended_age: Int
    """First age after it with RAM below 0.9; -1 while there is none."""


@dataclass(frozen=True)
class Confirmations:
    """Whether crossings are confirmed, one entry a crossing."""

    age: Int
    """First age from the crossing on with capped RAM of at least 1.0; -1 for a burst."""
    ram_capped: Float
    """Capped RAM at the crossing; NaN without one."""
    top_day_share: Float
    """The greatest day's share of the downloads at the crossing. What came before the first known
    day counts as evenly spread over the days since the release."""


def first_crossings(ram: Float, min_age: int, max_age: int) -> Crossings:
    """Return the first age between `min_age` and `max_age` at which RAM is at least 1.0.

    RAM is NaN where it is null.
    """
    above = ram[min_age : max_age + 1] >= CROSSING_RAM
    model = np.flatnonzero(above.any(axis=0))
    age = min_age + above[:, model].argmax(axis=0)
    ages = np.arange(len(ram))[:, None]
    ending = (ram[:, model] < ENDING_RAM) & (ages > age)
    ended_age = np.where(ending.any(axis=0), ending.argmax(axis=0), -1)
    return Crossings(model, age, ram[age, model], ended_age)


def confirmations(age: Int, ram_capped: Float, points: Int, downloads: Int) -> Confirmations:
    """Return which crossings are confirmed, up to the oldest age of the matrices.

    `age` is that of each crossing; the matrices have a column a crossing: capped RAM (NaN where it
    is null), points and downloads of the day that ends at the age (`NULL` without).
    """
    above = (ram_capped >= CROSSING_RAM) & (np.arange(len(ram_capped))[:, None] >= age)
    confirmed = np.where(above.any(axis=0), above.argmax(axis=0), -1)
    at_crossing = (age, np.arange(len(age)))
    days = _Days.of(points, downloads)
    top_day = days.by_day.max(axis=0, where=np.arange(1, len(points))[:, None] <= age, initial=0)
    total = points[at_crossing].astype(np.float64)
    share = np.maximum(top_day / total, days.before / (days.days_before * total))
    return Confirmations(confirmed, ram_capped[at_crossing], share)


def capped(points: Int, downloads: Int, since: Int) -> Int:
    """Return the points with no day above 10 times the median day up to the age.

    `downloads` are those of the day that ends at the age (`NULL` = unknown: the first day of the
    series is partial); those of the day before the release, at age 0, are not looked at. What a
    model has before its first known day counts with at most the cap for each day of its age then,
    and for one day at least. 10 times a median of counts is whole, so the result is exact.

    Values are computed from age `since` of each model on. `NULL` at other ages, without a point,
    and with fewer than two known days.
    """
    ages = np.arange(len(points))[:, None]
    values = np.where((points >= 0) & (ages >= since), points, NULL)
    values[:1] = NULL
    days = _Days.of(points, downloads)
    spiky = np.flatnonzero(~_none_above_cap(days, since - 1))
    values[1:, spiky] = _less_excess(values[1:, spiky], days.only(spiky))
    return values


@dataclass(frozen=True)
class _Days:
    """Downloads by day since the release, a row a day and a column a model."""

    by_day: Int
    """Downloads of the day, `NULL` = unknown."""
    before: Int
    """Downloads before the first known day, one entry a model."""
    days_before: Int
    """Days in which they came."""

    @classmethod
    def of(cls, points: Int, downloads: Int) -> "_Days":
        by_day = downloads[1:]
        known = downloads >= 0
        known[0] = False
        first_point = (points >= 0).argmax(axis=0)
        # The row before the first known day is the series' first, whose own day is partial.
        first_row = np.where(known.any(axis=0), known.argmax(axis=0) - 1, first_point)
        before = points[first_point, np.arange(len(first_point))]
        # A first row that is no point: the knots around its end are far apart.
        late = np.flatnonzero(first_point > first_row)
        up_to = known[:, late] & (np.arange(len(downloads))[:, None] <= first_point[late])
        before[late] -= downloads[:, late].sum(axis=0, where=up_to)
        return cls(by_day, before, np.maximum(first_row, 1))

    def only(self, models: Int) -> "_Days":
        return _Days(self.by_day[:, models], self.before[models], self.days_before[models])


def _none_above_cap(days: _Days, since: Int) -> Flag:
    """Return for which models nothing exceeds the cap, from row `since` on; not all of them.

    Where most days are at least a tenth of the greatest, the median is, too: this sorts nothing.
    """
    up_to = np.arange(len(days.by_day))[:, None] <= since
    greatest = days.by_day.max(axis=0, initial=0)
    known = days.by_day >= 0
    enough = (known & up_to).sum(axis=0, dtype=np.int16) >= CAP_MIN_DAYS
    large = (days.by_day >= _tenth(greatest)) & up_to
    most = 2 * large.sum(axis=0, dtype=np.int16) > known.sum(axis=0, dtype=np.int16)
    return np.asarray(most & enough & (days.before // days.days_before < greatest), bool)


def _less_excess(values: Int, days: _Days) -> Int:
    """Return the values less what exceeds the cap up to their row; `NULL` with too few days."""
    by_day = days.by_day
    count = (by_day >= 0).cumsum(axis=0, dtype=np.int16)
    values = np.where(count >= CAP_MIN_DAYS, values, NULL)
    greatest = by_day.max(axis=0, initial=0)
    most = 2 * (by_day >= _tenth(greatest)).cumsum(axis=0, dtype=np.int16) > count
    within = most & (days.before // days.days_before < greatest)
    row, model = np.nonzero((values >= 0) & ~within)
    # 32 bits sort four times as fast.
    narrow = np.int32 if greatest.max(initial=0) <= np.iinfo(np.int32).max else np.int64
    by_model = np.ascontiguousarray(by_day.T, dtype=narrow)
    for start in range(0, len(row), _PAIRS):
        at, of = row[start : start + _PAIRS], model[start : start + _PAIRS]
        up_to = by_model[of, : at[-1] + 1]  # rows are in rising order
        up_to[np.arange(at[-1] + 1) > at[:, None]] = NULL
        excess = _excess(up_to, count[at, of], days.before[of], days.days_before[of])
        values[at, of] = np.maximum(values[at, of] - excess, 0)
    return values


def _tenth(greatest: Int) -> Int:
    """Return the smallest median at which the greatest day does not exceed the cap."""
    tenth: Int = -(-greatest // CAP)
    return tenth


def _excess(days: NDArray[Any], count: Int, before: Int, days_before: Int) -> Int:
    """Return what exceeds 10 times the median, for rows of `count` days each, others `NULL`."""
    days.sort(axis=1)
    row, first = np.arange(len(days)), days.shape[1] - count
    # The mean of the two in the middle, which of an odd count are one.
    low = days[row, first + (count - 1) // 2].astype(np.uint64)
    high = days[row, first + count // 2].astype(np.uint64)
    cap = (np.minimum(low + high, _GREATEST // _HALF) * _HALF).astype(np.int64)
    greatest = np.iinfo(days.dtype).max
    above = np.maximum(days - np.minimum(cap, greatest).astype(days.dtype)[:, None], 0)
    # Otherwise cap x days_before could pass 2^63, and nothing of `before` exceeds it.
    exceeds = before // days_before >= cap
    of_before = before - np.where(exceeds, cap, 0) * days_before
    # After corrections, days can add up to more than any counter, even to more than 2^64.
    beyond = above.sum(axis=1, dtype=np.float64) > 1.5 * float(_GREATEST)
    of_days = np.where(beyond, _GREATEST, above.sum(axis=1, dtype=np.uint64))
    excess = np.minimum(of_days, _GREATEST) + np.where(exceeds, of_before, 0).astype(np.uint64)
    return np.asarray(np.minimum(excess, _GREATEST), np.int64)
