"""The clean series of a download counter, for many models at once (docs/definitions.md).

Arrays are columns, one entry an observation, sorted by series and then by time. Times are
int64 milliseconds since 1970 UTC, counts int64 downloads, and `NULL` stands for a missing one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breakout.core.arrays import NULL, Flag, Int

JUMP_FACTOR = 10
JUMP_FROM = 1_000


@dataclass(frozen=True)
class CleanSeries:
    """What the raw counters mean; columns as long as the observations."""

    cumulative: Int
    """Downloads: running maximum of the raw counter."""
    delta: Int
    """New downloads since the observation before; NULL for a series' first."""
    revision: Int
    """How far the raw counter fell since the observation before; NULL when it did not."""
    standing: NDArray[np.int8]
    """1 when the raw counter equals the one before, 0 when not, NULL for a series' first."""
    jump: Flag
    """Whether cumulative grew at least tenfold, from at least 1,000 downloads."""


def clean(series: Int, raw: Int, floor: Int) -> CleanSeries:
    """Clean the raw counters of observations that all have one.

    `series` numbers the series and does not decrease; `floor` is a cumulative already known at an
    observation (for one taken from a known series), NULL where there is none.
    """
    cumulative = _running_maximum(series, np.maximum(raw, floor))
    first = np.ones(len(series), dtype=bool)
    first[1:] = series[1:] != series[:-1]
    raw_before = np.concatenate(([NULL], raw[:-1])) if len(raw) else raw
    cumulative_before = np.concatenate(([NULL], cumulative[:-1])) if len(raw) else raw
    fallen = raw_before - raw
    return CleanSeries(
        cumulative=cumulative,
        delta=np.where(first, NULL, cumulative - cumulative_before),
        revision=np.where(~first & (fallen > 0), fallen, NULL),
        standing=np.where(first, NULL, fallen == 0).astype(np.int8),
        jump=~first
        & (cumulative_before >= JUMP_FROM)
        & (cumulative // JUMP_FACTOR >= cumulative_before),
    )


def _running_maximum(series: Int, level: Int) -> Int:
    """Return the running maximum of `level` within each series.

    Few series ever fall: the others are their own running maximum, and only those few are sorted.
    """
    if not len(level):
        return level
    begins = np.concatenate(([True], series[1:] != series[:-1]))
    falls = np.flatnonzero(~begins[1:] & (level[1:] < level[:-1])) + 1
    if not len(falls):
        return level
    number = np.cumsum(begins) - 1
    falling = np.zeros(number[-1] + 1, dtype=bool)
    falling[number[falls]] = True
    rows = np.flatnonzero(falling[number])
    running = level.copy()
    running[rows] = _running_maximum_by_rank(number[rows], level[rows])
    return running


def _running_maximum_by_rank(number: Int, level: Int) -> Int:
    """Return the running maximum of `level` within each series; `number` does not decrease.

    Ranks instead of values: number * n + rank grows from series to series, so one running
    maximum over all of them never crosses a border, and cannot overflow.
    """
    levels, rank = np.unique(level, return_inverse=True)
    start = np.cumsum(np.concatenate(([0], number[1:] != number[:-1]))) * len(levels)
    running: Int = np.maximum.accumulate(start + rank) - start
    return levels[running]
