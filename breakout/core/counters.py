"""States and knots of download counters, for many series at once (docs/definitions.md).

Arrays are columns, one entry an observation that has an all-time counter, sorted by series and
then by time, each time once a series. Times are int64 milliseconds since 1970 UTC, counts int64
downloads.

A counter is renewed about once a day, may stay unchanged for days, falls and recovers. A *knot* is
an observation at which the true counter is known; between knots downloads are interpolated.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from breakout.core.arrays import (
    Flag,
    Int,
    first_at_least,
    first_at_or_after,
    first_of_series,
)
from breakout.core.times import DAY_MS

RENEWAL_MS = DAY_MS
"""A counter is renewed about once a day, and unchanged in between."""
RATE_MS = 7 * DAY_MS
"""The time before a change from which the rate of downloads is taken."""
EXPECTED_DOWNLOADS = 20
"""A counter expected to grow by so many that is unchanged was not renewed."""
HELD_MS = 4 * DAY_MS
"""A counter unchanged for longer was renewed: there were no downloads."""
MOST_GROWTH = 1 << 31
"""Greater growth counts as this in a rate: enough to be expected at any time, and no sum of it
passes 2^63."""
ROLLBACK_MS = 14 * DAY_MS
"""A counter that falls and reaches its former value within this time was rolled back."""


class State(IntEnum):
    """What an observation is to its series."""

    FIRST = 0
    RISE = 1
    BETWEEN = 2
    """Unchanged for less than a day: between two renewals of the counter."""
    IDLE = 3
    """Unchanged, without downloads."""
    HELD = 4
    """Unchanged, although downloads were to be expected: the counter was not renewed."""
    ROLLBACK = 5
    """Below a value that the counter reaches again within 14 days."""
    CORRECTION = 6
    """The counter fell for good; downloads count from here on."""


KNOTS = (State.FIRST, State.RISE, State.IDLE, State.CORRECTION)


@dataclass(frozen=True)
class Counters:
    """What each observation is; columns as long as the observations."""

    state: NDArray[np.int8]
    """A `State`."""
    knot: Flag
    """Whether the true counter is known here; it is the raw counter then."""
    correction: Int
    """Downloads that a correction took away; 0 elsewhere."""


@dataclass(frozen=True)
class Moves:
    """How each counter moves; columns as long as the observations."""

    first: Flag
    """Whether it is the first of its series."""
    grown: Int
    """Growth since the observation before, negative for a fall; 0 for the first."""
    change: Int
    """Place of the latest change at or before it; the first is a change."""

    @classmethod
    def of(cls, series: Int, raw: Int) -> "Moves":
        """Return the moves of many counters."""
        first = first_of_series(series)
        grown = np.zeros(len(raw), np.int64)
        grown[1:] = np.diff(raw)
        grown[first] = 0
        place = np.arange(len(raw))
        return cls(first, grown, np.maximum.accumulate(np.where(first | (grown != 0), place, 0)))

    @property
    def changed(self) -> Flag:
        """Whether the counter differs from the one before."""
        changed: Flag = self.first | (self.grown != 0)
        return changed


def classify(series: Int, at: Int, raw: Int) -> Counters:
    """Return what each observation of many series is.

    `series` numbers the series and does not decrease. The state of an observation depends on those
    from 14 days before it to 14 days after it, and on one more on either side.

    So adding or removing an observation at s, with the one before it at p and the one after it at
    n, changes states only in `[min(s - 14 d, p - 3 d), n + 14 d)`, and the grid only between the
    nearest knots outside that window.
    """
    moves = Moves.of(series, raw)
    state = np.where(moves.grown > 0, State.RISE, State.BETWEEN).astype(np.int8)
    state[moves.first] = State.FIRST
    _classify_unchanged(state, series, at, moves)
    correction = np.zeros(len(raw), np.int64)
    open_until = -1
    falls, ends = rollbacks(series, at, raw, moves)
    for fall, end in zip(falls.tolist(), ends.tolist(), strict=True):
        if fall < open_until:
            continue
        if end:
            state[fall:end] = State.ROLLBACK
            open_until = end
        else:
            state[fall] = State.CORRECTION
            correction[fall] = -moves.grown[fall]
    return Counters(state, np.isin(state, KNOTS), correction)


def _classify_unchanged(state: NDArray[np.int8], series: Int, at: Int, moves: Moves) -> None:
    """Mark the unchanged observations that are idle or held; the others are between renewals."""
    changed, change = moves.changed, moves.change
    unchanged = ~changed
    if not unchanged.any():
        return
    # The last observation of each run, by the observation that began it.
    ends = np.flatnonzero(np.concatenate((changed[1:], [True])))
    run_end = np.empty(len(at), np.int64)
    run_end[change[ends]] = ends
    later = np.flatnonzero(unchanged & (at - at[change] >= RENEWAL_MS))
    begun = change[later]
    changes = np.unique(begun)
    rise, took = rates(series, at, moves.grown, changes)
    which = np.searchsorted(changes, begun)
    few = few_expected(rise[which], took[which], at[later] - at[begun])
    long = at[run_end[begun]] - at[begun] > HELD_MS
    state[later] = np.where(few | long, State.IDLE, State.HELD)


def rates(series: Int, at: Int, grown: Int, changes: Int) -> tuple[Int, Int]:
    """Return what rose in the seven days before each change, and in how many milliseconds.

    `grown` is the growth since the observation before, `changes` are places of observations. The
    time is 0 at the first observation of a series.
    """
    risen = np.cumsum(np.clip(grown, 0, MOST_GROWTH))
    # From the latest observation at least seven days before, else from the series' first.
    begin = np.searchsorted(series, series[changes], "left")
    base = first_at_or_after(at, at[changes] - RATE_MS + 1, begin, changes) - 1
    base = np.maximum(base, begin)
    return risen[changes] - risen[base], at[changes] - at[base]


def few_expected(rise: Int, took: Int, unchanged: Int) -> Flag:
    """Whether fewer than 20 downloads were to be expected while a counter was unchanged.

    `rise` downloads in `took` milliseconds are the rate; `unchanged` is a day or more, in
    milliseconds.
    """
    # Rise x time would pass 2^63; a rise of so many means held after a day in any case.
    enough = EXPECTED_DOWNLOADS * took // RENEWAL_MS + 1
    expected = np.minimum(rise, enough) * unchanged
    few: Flag = (expected < EXPECTED_DOWNLOADS * took) | (took == 0)
    return few


def rollbacks(series: Int, at: Int, raw: Int, moves: Moves) -> tuple[Int, Int]:
    """Return the place of each fall, and of what reaches its former value within 14 days, else 0.

    A fall within a rollback is one of its own here.
    """
    falls = np.flatnonzero(moves.grown < 0)
    ends = np.searchsorted(series, series[falls], "right")
    ends = first_at_or_after(at, at[falls] + ROLLBACK_MS + 1, falls, ends)
    reached = first_at_least(raw, raw[falls - 1], falls + 1, ends)
    return falls, np.where(reached < ends, reached, 0)
