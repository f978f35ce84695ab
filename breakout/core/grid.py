"""The daily grid of a download counter: one row a series and UTC day (docs/definitions.md).

The grid follows from the knots alone, so it does not depend on how often a counter is observed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakout.core.arrays import (
    NULL,
    Flag,
    Int,
    first_at_or_after,
    first_of_series,
    last_of_series,
)
from breakout.core.counters import Counters, State
from breakout.core.times import DAY_MS

_DAYS = 1 << 20
"""More than a grid has days."""
VALUES = ("cumulative", "downloads", "correction", "basis")
"""Columns of a row but its key and since when it is known."""
GAP_MS = 4 * DAY_MS
"""Knots further apart carry totals over, but say nothing about the days between."""


class Basis(IntEnum):
    """What a row of the grid rests on: the interval between knots that the day's end lies in."""

    OBSERVED = 0
    HELD = 1
    """An observation that was held or rolled back lies in the interval."""
    GAP = 2
    """The interval is longer than 4 days."""


@dataclass(frozen=True)
class Grid:
    """Rows of the grid, by series and day."""

    series: Int
    day: Int
    """UTC days since 1970."""
    cumulative: Int
    """Downloads at the end of the day, 24:00 UTC."""
    downloads: Int
    """Downloads within the day; NULL on a series' first, which is partial."""
    correction: Int
    """Downloads that corrections within the day took away."""
    basis: NDArray[np.int8]
    """A `Basis`."""
    known_at: Int
    """Moment of the knot that completes the row, milliseconds UTC."""

    def take(self, index: Any) -> "Grid":
        """Return the rows at `index`, any numpy index."""
        return Grid(*(getattr(self, column.name)[index] for column in fields(self)))

    @classmethod
    def empty(cls) -> "Grid":
        """Return no rows."""
        none = np.empty(0, np.int64)
        return cls(none, none, none, none, none, np.empty(0, np.int8), none)

    @classmethod
    def concatenate(cls, parts: Sequence["Grid"]) -> "Grid":
        """Return all rows of `parts`, in order."""
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return cls(*map(np.concatenate, columns))

    @property
    def keys(self) -> Int:
        """Numbers by which rows are ordered: by series, then by day."""
        return self.series * _DAYS + self.day

    def unchanged_in(self, others: "Grid", columns: Sequence[str]) -> Flag:
        """Return which rows have an equal one in `others`, by these columns; both are ordered."""
        if not len(others.day):
            return np.zeros(len(self.day), bool)
        keys, other_keys = self.keys, others.keys
        place = np.minimum(np.searchsorted(other_keys, keys), len(other_keys) - 1)
        same: Flag = other_keys[place] == keys
        for column in columns:
            same &= getattr(others, column)[place] == getattr(self, column)
        return same


def daily(
    series: Int, at: Int, raw: Int, counters: Counters, opening: Int | None = None
) -> tuple[Grid, Int]:
    """Return the grid of many series, and the opening of each observation.

    The grid goes from the day of the first knot to the last complete day. Columns as in `classify`.
    `cumulative(d) = cumulative(d-1) + downloads(d) - correction(d)`.

    The opening of a knot is the cumulative at 00:00 UTC of its day; `NULL` on the first day of the
    series and at other observations. A series can begin with a later knot than its first if
    `opening` has that knot's opening and its day has no correction.
    """
    knots = np.flatnonzero(counters.knot)
    openings = np.full(len(at), NULL, np.int64)
    if not len(knots):
        return Grid.empty(), openings
    owner, moment, value = series[knots], at[knots], raw[knots]
    begins, ends = (np.flatnonzero(one) for one in (first_of_series(owner), last_of_series(owner)))
    # A day that ends exactly at the last knot is complete.
    first_day, last_day = moment[begins] // DAY_MS, moment[ends] // DAY_MS - 1
    count = np.maximum(last_day - first_day + 1, 0)
    which = np.repeat(np.arange(len(begins)), count)
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    day = first_day[which] + step
    end = (day + 1) * DAY_MS
    # The first knot at or after the day's end; the interval before it holds that end.
    after = first_at_or_after(moment, end, begins[which], ends[which])
    before = after - 1
    length = moment[after] - moment[before]
    fell = counters.correction[knots]
    grown = np.where(fell[after] > 0, 0, value[after] - value[before])
    elapsed = end - moment[before]
    cumulative = value[before] + _share(grown, elapsed, length)
    taken = np.concatenate(([0], np.cumsum(fell)))
    # A correction at midnight belongs to the day that begins.
    correction = np.zeros(len(day), np.int64)
    passed = taken[after]
    correction[1:] = passed[1:] - passed[:-1]
    new = np.flatnonzero(step == 0)
    downloads = np.full(len(day), NULL, np.int64)
    downloads[1:] = np.diff(cumulative) + correction[1:]
    correction[new] = passed[new] - taken[begins[which[new]]]
    known = np.full(len(begins), NULL, np.int64) if opening is None else opening[knots[begins]]
    opened = known[which[new]]
    grown_since = cumulative[new] - opened + correction[new]
    downloads[new] = np.where(opened == NULL, NULL, grown_since)
    # The row before a knot's day ends with its opening.
    number = np.repeat(np.arange(len(begins)), ends + 1 - begins)
    passed_days = moment // DAY_MS - first_day[number]
    row = np.cumsum(count)[number] - count[number] + passed_days - 1
    openings[knots] = known[number]
    later = passed_days > 0
    openings[knots[later]] = cumulative[row[later]]
    basis = _basis(knots, before, after, length, counters)
    rows = Grid(owner[begins][which], day, cumulative, downloads, correction, basis, moment[after])
    return rows, openings


def _share(grown: Int, elapsed: Int, length: Int) -> Int:
    """Return grown x elapsed / length, rounded down, for `0 < elapsed <= length`."""
    whole, rest = np.divmod(grown, length)
    share = rest * elapsed // length
    # Over more than 35 days the product can pass 2^63; Python's integers cannot.
    great = np.flatnonzero(rest > np.iinfo(np.int64).max // elapsed)
    share[great] = rest[great].astype(object) * elapsed[great] // length[great]
    return np.asarray(whole * elapsed + share, np.int64)


def _basis(
    knots: Int, before: Int, after: Int, length: Int, counters: Counters
) -> NDArray[np.int8]:
    """Return what each row rests on."""
    unsure = np.isin(counters.state, [State.HELD, State.ROLLBACK])
    passed = np.concatenate(([0], np.cumsum(unsure)))
    held = passed[knots[after]] > passed[knots[before]]
    return np.select([length > GAP_MS, held], [Basis.GAP, Basis.HELD], Basis.OBSERVED).astype(
        np.int8
    )
