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

    A range goes from `low` to `high`, both included, is sorted, and its last value reaches the
    target. One binary search runs in all ranges together.
    """
    low, high = low.copy(), high.copy()
    while (searching := low < high).any():
        middle = (low + high) // 2
        reached = values[middle] >= targets
        high = np.where(searching & reached, middle, high)
        low = np.where(searching & ~reached, middle + 1, low)
    return low
