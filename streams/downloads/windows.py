"""How far new observations reach into a series: which observations and days they can change.

An observation at s, with p before it and n after it, changes states only in
`[min(s - 14 d, p - 3 d), n + 14 d)`, and rows of the grid only between the nearest knots outside,
among those that were knots from the start. (tests/oracle/test_counter_windows.py has the proof.)
"""

from dataclasses import dataclass

import numpy as np

from breakout.core.arrays import NULL, Flag, Int
from breakout.core.counters import HELD_MS, RENEWAL_MS, ROLLBACK_MS
from breakout.core.knowledge import Known
from breakout.core.times import DAY_MS

MARGIN_MS = 45 * DAY_MS
"""How much history around new observations is enough, unless observations are rare."""

ENDLESS = 1 << 62
_RUN_MS = HELD_MS - RENEWAL_MS


@dataclass(frozen=True)
class Windows:
    """One window a series; moments in milliseconds UTC, days since 1970, both ends included."""

    slots: Int
    first_at: Int
    last_at: Int
    first_day: Int
    last_day: Int
    several: Flag
    """Whether more than one observation is new: a worker that lags may have known some of them."""
    ended: Flag
    """Whether the history reaches to the end of the series."""
    incomplete: Flag
    """Whether the history is too short to tell."""

    def of(self, slot: Int) -> Int:
        """Return the places of slots among the windows."""
        return np.searchsorted(self.slots, slot)

    def hold(self, slot: Int, at: Int) -> Flag:
        """Return which observations lie in their windows."""
        which = self.of(slot)
        held: Flag = (self.first_at[which] <= at) & (at <= self.last_at[which])
        return held

    def hold_days(self, slot: Int, day: Int) -> Flag:
        """Return which rows of the grid lie in their windows."""
        which = self.of(slot)
        held: Flag = (self.first_day[which] <= day) & (day <= self.last_day[which])
        return held & ~self.incomplete[which]


@dataclass(frozen=True)
class Series:
    """One series around new observations."""

    at: Int
    """Moments of all its observations with a counter, as far as its history is read."""
    knots: Int
    """Those that were knots from the start."""
    new_at: Int
    """Those that are new."""
    begins: bool
    """Whether its history is read from the first observation on."""
    ends: bool
    """Whether its history is read to the last."""


@dataclass(frozen=True)
class Window:
    """The window of one series."""

    first_at: int = ENDLESS
    last_at: int = -ENDLESS
    first_day: int = ENDLESS
    last_day: int = -ENDLESS
    incomplete: bool = False


def window_of(series: Series) -> Window:
    """Return what the new observations of a series can change."""
    if not len(series.new_at):
        return Window()
    first, last = int(series.new_at[0]), int(series.new_at[-1])
    old = np.setdiff1d(series.at, series.new_at, assume_unique=True)
    earlier, later = old[old < first], old[old > last]
    begin = first - ROLLBACK_MS
    if len(earlier):
        begin = min(begin, int(earlier[-1]) - _RUN_MS)
    valid_from = int(series.at[0]) + ROLLBACK_MS
    before = series.knots[series.knots < begin]
    first_day = -ENDLESS
    if len(before):
        first_day = int(before[-1]) // DAY_MS
        # The knot before that day gives what the day began with.
        before = before[before < first_day * DAY_MS]
    if not series.begins and (not len(before) or before[-1] < valid_from):
        return Window(incomplete=True)
    last_at, last_day = ENDLESS, ENDLESS
    after = series.knots[series.knots >= int(later[0]) + ROLLBACK_MS] if len(later) else later
    if len(after):
        last_day = (int(after[0]) - 1) // DAY_MS
        last_at = (int(after[0]) // DAY_MS + 1) * DAY_MS
    if not series.ends and (not len(after) or series.at[-1] <= last_at + ROLLBACK_MS):
        return Window(incomplete=True)
    return Window(begin, last_at, first_day, last_day)


def windows(
    slots: Int, slot: Int, at: Int, new: Flag, found: Known, begins: Flag, ends: Flag
) -> Windows:
    """Return the windows of series: `slot`, `at`, `new` and `found` have one entry an observation.

    `begins` and `ends` say of each of `slots` whether its history is read from the first and to
    the last observation.
    """
    lows, highs = np.searchsorted(slot, slots, "left"), np.searchsorted(slot, slots, "right")
    from_start = found.counters.knot & (found.knot_since == NULL)
    result = []
    for low, high, is_first, is_last in zip(
        lows.tolist(), highs.tolist(), begins.tolist(), ends.tolist(), strict=True
    ):
        part = slice(low, high)
        moments = at[part]
        series = Series(moments, moments[from_start[part]], moments[new[part]], is_first, is_last)
        result.append(window_of(series))
    several = np.add.reduceat(np.append(new, 0), np.minimum(lows, len(new))) > 1
    several &= highs > lows
    return Windows(
        slots,
        np.array([one.first_at for one in result], np.int64),
        np.array([one.last_at for one in result], np.int64),
        np.array([one.first_day for one in result], np.int64),
        np.array([one.last_day for one in result], np.int64),
        several,
        ends,
        np.array([one.incomplete for one in result], bool),
    )
