"""The latest changes of each counter: what bounds its rate without reading history.

The rate before a change counts from the latest observation at least seven days earlier. Between
two changes nothing rises, so the latest change that early gives the same rise; that observation
lies between it and the seventh day.
"""

import numpy as np

from breakout.core.arrays import NULL, Flag, Int, first_of_series
from breakout.core.counters import MOST_GROWTH, RATE_MS

CHANGES = 10
"""Changes kept of a counter that is renewed once a day: more than seven days."""


class RecentChanges:
    """The latest changes of each series, the last at the end; `NULL` where there are fewer."""

    def __init__(self) -> None:
        self._at = np.empty((0, CHANGES), np.int64)
        # What rose until then, from an arbitrary beginning.
        self._risen = np.empty((0, CHANGES), np.int64)

    def reserve(self, size: int) -> None:
        """Make room for so many series."""
        more = size - len(self._at)
        if more > 0:
            empty = np.full((more, CHANGES), NULL, np.int64)
            self._at = np.concatenate((self._at, empty))
            self._risen = np.concatenate((self._risen, empty))

    def forget(self, slots: Int) -> None:
        """Drop all changes of some series."""
        self._at[slots] = NULL
        self._risen[slots] = NULL

    def add(self, slot: Int, at: Int, rise: Int) -> None:
        """Add changes, sorted by series and time; `rise` is 0 for a series' first and for falls."""
        if not len(slot):
            return
        begins = np.flatnonzero(first_of_series(slot))
        count = np.diff(np.append(begins, len(slot)))
        slots = slot[begins]
        rise = np.minimum(rise, MOST_GROWTH)
        total = np.cumsum(rise)
        risen = total - np.repeat(total[begins] - rise[begins], count)
        risen += np.repeat(np.maximum(self._risen[slots, -1], 0), count)
        column = np.arange(CHANGES) + count[:, None]
        kept = np.minimum(column, CHANGES - 1)
        at_rows = np.take_along_axis(self._at[slots], kept, axis=1)
        risen_rows = np.take_along_axis(self._risen[slots], kept, axis=1)
        # From the end: the last change of each series goes to the last column.
        back = np.repeat(begins + count, count) - np.arange(len(slot))
        new = np.flatnonzero(back <= CHANGES)
        row = np.repeat(np.arange(len(slots)), count)[new]
        at_rows[row, CHANGES - back[new]] = at[new]
        risen_rows[row, CHANGES - back[new]] = risen[new]
        self._at[slots], self._risen[slots] = at_rows, risen_rows

    def rates(self, slots: Int, first_at: Int) -> tuple[Int, Int, Int, Flag]:
        """Return what bounds the rate before the last change of series.

        The rise, the least and the greatest milliseconds it took, and whether they are known.
        """
        at, risen = self._at[slots], self._risen[slots]
        changed_at = at[:, -1]
        early = (at != NULL) & (at <= (changed_at - RATE_MS)[:, None])
        has_early = early.any(axis=1)
        # The latest change that is early enough, else the oldest one, if that is the first.
        oldest = (at == NULL).sum(axis=1)
        base = np.where(has_early, early.sum(axis=1) + oldest - 1, oldest)
        base = np.minimum(base, CHANGES - 1)
        row = np.arange(len(slots))
        took = changed_at - at[row, base]
        least = np.where(has_early, RATE_MS, took)
        is_known = (changed_at != NULL) & (has_early | (at[row, base] == first_at))
        return risen[row, -1] - risen[row, base], least, took, is_known
