"""States and knots of download counters, for many series at once (docs/definitions.md).

Arrays are columns, one entry an observation that has an all-time counter, sorted by series and
then by time, each time once a series. Times are int64 milliseconds since 1970 UTC, counts int64
downloads.

A counter is renewed about once a day, stays unchanged for days, falls and comes back. A *knot* is
an observation at which the true counter is known; between knots downloads are interpolated.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from breakout.core.arrays import Flag, Int
from breakout.core.times import DAY_MS

RENEWAL_MS = DAY_MS
"""A counter is renewed about once a day: until then it is unchanged in any case."""
RATE_MS = 7 * DAY_MS
"""The time before a change from which the rate of downloads is taken."""
EXPECTED_DOWNLOADS = 20
"""A counter that should have grown by so many and did not has not been renewed."""
HELD_MS = 4 * DAY_MS
"""A counter unchanged for longer was renewed: nobody downloaded."""
ROLLBACK_MS = 14 * DAY_MS
"""A counter that falls and reaches its former value within this time was rolled back."""


class State(IntEnum):
    """What an observation is to its series."""

    FIRST = 0
    RISE = 1
    BETWEEN = 2
    """Unchanged for less than a day: between two renewals of the counter."""
    IDLE = 3
    """Unchanged, and nobody downloaded."""
    HELD = 4
    """Unchanged, although downloads were to be expected: the counter was not renewed."""
    ROLLBACK = 5
    """Below a value that the counter reaches again within 14 days."""
    CORRECTION = 6
    """The counter fell for good; downloads count from here on."""


KNOTS = frozenset({State.FIRST, State.RISE, State.IDLE, State.CORRECTION})


@dataclass(frozen=True)
class Counters:
    """What each observation is; columns as long as the observations."""

    state: NDArray[np.int8]
    """A `State`."""
    knot: Flag
    """Whether the true counter is known here; it is the raw counter then."""
    correction: Int
    """Downloads that a correction took away; 0 elsewhere."""


def classify(series: Int, at: Int, raw: Int) -> Counters:
    """Return what each observation of many series is.

    `series` numbers the series and does not decrease. What an observation is rests on those
    from 14 days before it to 14 days after it, and on one more on either side.

    So an observation at s, the one before it at p and the one after it at n, reaches those in
    `[min(s - 14 d, p - 3 d), n + 14 d)`, and the grid between the nearest knots outside of that.
    """
    size = len(raw)
    if not size:
        return Counters(np.empty(0, np.int8), np.empty(0, bool), np.empty(0, np.int64))
    first = np.concatenate(([True], series[1:] != series[:-1]))
    grown = np.concatenate(([0], np.diff(raw)))
    grown[first] = 0
    state = np.where(grown > 0, State.RISE, State.BETWEEN).astype(np.int8)
    state[first] = State.FIRST
    _classify_unchanged(state, at, first, grown)
    fallen = np.flatnonzero(grown < 0)
    correction = np.zeros(size, np.int64)
    last = _last_of_series(first)
    open_until = -1
    for fall in fallen.tolist():
        if fall < open_until:
            continue
        end = _rolled_back_until(fall, int(last[fall]), at, raw)
        if end:
            state[fall:end] = State.ROLLBACK
            open_until = end
        else:
            state[fall] = State.CORRECTION
            correction[fall] = -grown[fall]
    return Counters(state, np.isin(state, [*KNOTS]), correction)


def _classify_unchanged(state: NDArray[np.int8], at: Int, first: Flag, grown: Int) -> None:
    """Tell idle and held observations from those between renewals."""
    place = np.arange(len(at))
    changed = first | (grown != 0)
    change = np.maximum.accumulate(np.where(changed, place, 0))
    unchanged = ~changed
    if not unchanged.any():
        return
    # The last observation of each run, by the observation that began it.
    ends = np.flatnonzero(np.concatenate((changed[1:], [True])))
    run_end = np.empty(len(at), np.int64)
    run_end[change[ends]] = ends
    later = np.flatnonzero(unchanged & (at - at[change] >= RENEWAL_MS))
    begun = change[later]
    since = at[later] - at[begun]
    # What rose in the seven days before the change, and how long that is.
    risen = np.cumsum(np.maximum(grown, 0))
    changes = np.unique(begun)
    base = _latest_at_or_before(changes, at[changes] - RATE_MS, at, first)
    rise, took = risen[changes] - risen[base], at[changes] - at[base]
    # Rise x time would pass 2^63; a rise of so many means held after a day in any case.
    enough = EXPECTED_DOWNLOADS * took // RENEWAL_MS + 1
    which = np.searchsorted(changes, begun)
    expected = np.minimum(rise, enough)[which] * since
    few = (expected < EXPECTED_DOWNLOADS * took[which]) | (took[which] == 0)
    long = at[run_end[begun]] - at[begun] > HELD_MS
    state[later] = np.where(few | long, State.IDLE, State.HELD)


def _latest_at_or_before(places: Int, moment: Int, at: Int, first: Flag) -> Int:
    """Return the latest observation at or before a moment, or the series' first, for many."""
    begin = np.maximum.accumulate(np.where(first, np.arange(len(at)), 0))[places]
    # Binary search within each series at once.
    low, high = begin.copy(), places.copy()
    while (searching := low < high).any():
        middle = (low + high + 1) // 2
        up = at[middle] <= moment
        low = np.where(searching & up, middle, low)
        high = np.where(searching & ~up, middle - 1, high)
    return low


def _last_of_series(first: Flag) -> Int:
    begins = np.flatnonzero(first)
    ends = np.concatenate((begins[1:], [len(first)])) - 1
    return np.repeat(ends, np.diff(np.concatenate((begins, [len(first)]))))


def _rolled_back_until(fall: int, last: int, at: Int, raw: Int) -> int:
    """Return the observation that reaches the value before a fall again within 14 days, else 0."""
    end = int(np.searchsorted(at[fall : last + 1], at[fall] + ROLLBACK_MS, "right")) + fall
    reached = raw[fall + 1 : end] >= raw[fall - 1]
    place = int(reached.argmax()) if len(reached) else 0
    return fall + 1 + place if len(reached) and reached[place] else 0
