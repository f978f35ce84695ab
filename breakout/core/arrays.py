"""Types of numpy columns, the number that stands for null in them, and searches in them."""

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Flag = NDArray[np.bool_]

NULL = -1
"""Stands for null in columns of counts, which are never negative."""


def first_of_series(series: Int) -> Flag:
    """Return the first entry of each series; `series` does not decrease."""
    first = np.ones(len(series), dtype=bool)
    first[1:] = series[1:] != series[:-1]
    return first


def last_of_series(series: Int) -> Flag:
    """Return the last entry of each series; `series` does not decrease."""
    last = np.ones(len(series), dtype=bool)
    last[:-1] = series[1:] != series[:-1]
    return last


def first_at_or_after(values: Int, targets: Int, low: Int, high: Int) -> Int:
    """Return the first place in each range of `values` whose value reaches its target.

    A range is sorted and goes from `low` to `high`, which is returned if no value before it reaches
    the target. One binary search runs in all ranges together.
    """
    low, high = low.copy(), high.copy()
    while (searching := low < high).any():
        middle = (low + high) // 2
        # A range that is done may end after the last value.
        reached = values[np.minimum(middle, len(values) - 1)] >= targets
        high = np.where(searching & reached, middle, high)
        low = np.where(searching & ~reached, middle + 1, low)
    return low


def first_at_least(values: Int, least: Int, begin: Int, end: Int) -> Int:
    """Return the first place in each range of `values` that is at least `least`, else its `end`.

    A range goes from `begin` to `end`, which is excluded, in any order. All are searched together,
    by steps of powers of two: `highest` has the greatest value of each step.
    """
    place = begin.copy()
    longest = int((end - begin).max(initial=0))
    highest = [values]
    while (width := 1 << (len(highest) - 1)) * 2 <= longest:
        highest.append(np.maximum(highest[-1][:-width], highest[-1][width:]))
    for step, greatest in reversed(list(enumerate(highest))):
        inside = np.flatnonzero(place + (1 << step) <= end)
        smaller = inside[greatest[place[inside]] < least[inside]]
        place[smaller] += 1 << step
    return place
