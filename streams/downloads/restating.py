"""Observations that change earlier ones: their series are computed anew from a window of history.

What is stored of the window is computed too, so that only what differs is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from breakout.core.arrays import NULL, Flag, Int, first_of_series
from breakout.core.counters import Counters
from breakout.core.grid import VALUES, Grid
from breakout.core.knowledge import Known, known
from breakout.core.times import DAY_MS
from streams.columns import (
    Columns,
    concatenate,
    count_updates,
    first_of_key,
    merge_equal_keys,
)
from streams.downloads.tails import Ends, Tails
from streams.downloads.windows import Windows, windows


@dataclass(frozen=True)
class Observed:
    """Observations to write and what they are, by slot and time; `NULL` where null."""

    columns: Columns
    state: Int
    correction: Int
    knot_since: Int
    knot_until: Int
    opening: Int

    def take(self, index: Int) -> "Observed":
        """Return the observations at `index`."""
        values = list(vars(self).values())[1:]
        return Observed(self.columns.take(index), *(column[index] for column in values))

    @classmethod
    def concatenate(cls, parts: Sequence["Observed"]) -> "Observed":
        """Return all observations of `parts`, in order."""
        values = zip(*(list(vars(part).values())[1:] for part in parts), strict=True)
        return cls(concatenate([part.columns for part in parts]), *map(np.concatenate, values))


@dataclass(frozen=True)
class GridRows:
    """Rows of the grid to write, with slots as series."""

    rows: Grid
    withdrawn: Flag
    superseded_at: Int
    """When each was replaced; NULL for rows that are not."""

    @classmethod
    def concatenate(cls, parts: Sequence["GridRows"]) -> "GridRows":
        """Return all rows of `parts`, in order."""
        return cls(
            Grid.concatenate([Grid.empty(), *(part.rows for part in parts)]),
            np.concatenate([np.empty(0, bool), *(part.withdrawn for part in parts)]),
            np.concatenate([np.empty(0, np.int64), *(part.superseded_at for part in parts)]),
        )


@dataclass(frozen=True)
class Restated:
    """What the new observations of some series change."""

    observed: Observed
    grid: GridRows
    superseded: GridRows
    new: Int
    """The slot of each new observation."""
    updates: int
    """Observations that changed something, however the log is cut into batches."""
    ends: Ends
    first_at: tuple[Int, Int]
    """Slots, and their first observation with a counter."""


@dataclass(frozen=True)
class Merged:
    """Stored observations and a batch, one entry a key, by slot and time."""

    columns: Columns
    stored: Int
    """Place among the stored observations; NULL if it is new."""
    altered: Flag
    """Stored with smaller counts, or another origin."""
    raised: Flag
    """Stored with a smaller counter, or without."""
    updates: int

    @property
    def new(self) -> Flag:
        """Which are not stored."""
        new: Flag = self.stored == NULL
        return new


def merge(stored: Columns, batch: Columns, origins: Sequence[str]) -> Merged:
    """Merge the observations of each key; the batch is in the order of arrival within a key."""
    both = concatenate((stored, batch))
    place = np.concatenate((np.arange(len(stored.slot)), np.full(len(batch.slot), NULL)))
    order = np.lexsort((place == NULL, both.at, both.slot))
    both, place = both.take(order), place[order]
    begins = first_of_key(both)
    columns = merge_equal_keys(both, begins, origins)
    starts = np.flatnonzero(begins)
    place = place[starts]
    raised = (place != NULL) & (columns.raw != both.raw[starts])
    altered = raised.copy()
    for name in ("downloads_30d", "likes", "origin"):
        same = getattr(columns, name) == getattr(both, name)[starts]
        altered |= (place != NULL) & ~same
    updates = int((place == NULL).sum()) + count_updates(both, begins, origins)
    return Merged(columns, place, altered, raised, updates)


def restate(
    stored: Columns, batch: Columns, origins: Sequence[str], tails: Tails, *, whole: bool
) -> tuple[Restated, Int]:
    """Compute some series anew, from stored observations around those of a batch.

    Returns what changes, and the slots of series whose window of history is too short, which are
    left out. `whole` says that `stored` has all observations of the series.
    """
    merged = merge(stored, batch, origins)
    columns = merged.columns
    counted = columns.raw >= 0
    slot, at = columns.slot[counted], columns.at[counted]
    after = known(slot, at, columns.raw[counted])
    old = stored.raw >= 0
    before = known(stored.slot[old], stored.at[old], stored.raw[old])
    slots = np.unique(columns.slot)
    news = (merged.new | merged.raised)[counted]
    begins, ends = _reach(stored, old, slots, tails)
    found = windows(slots, slot, at, news, after, begins | whole, ends | whole)
    short = slots[found.incomplete]
    here = ~np.isin(columns.slot, short)
    if len(short):
        batch = batch.take(~np.isin(batch.slot, short))
        kept = stored.take(~np.isin(stored.slot, short))
        merged_updates = merge(kept, batch, origins).updates
    else:
        merged_updates = merged.updates
    now, was = _values(counted, after), _values(old, before)
    differs = (now[:, :-1] != was[:, merged.stored]).any(axis=0)
    differs |= found.several[found.of(columns.slot)]
    picked = merged.new | merged.altered | (differs & found.hold(columns.slot, columns.at))
    picked &= here
    ended = (here & found.ended[found.of(columns.slot)])[counted]
    begin = np.flatnonzero(first_of_series(slot))
    restated = Restated(
        Observed(columns.take(picked), *now[:, :-1][:, picked]),
        _changed_rows(before.grid, after.grid, found, slot, at),
        _changed_superseded(before, after, found),
        columns.slot[merged.new & here],
        merged_updates,
        Ends(
            slot[ended],
            at[ended],
            columns.raw[counted][ended],
            Counters(*(column[ended] for column in vars(after.counters).values())),
            after.opening[ended],
        ),
        (slot[begin], at[begin]),
    )
    return restated, short


def _reach(stored: Columns, counted: Flag, slots: Int, tails: Tails) -> tuple[Flag, Flag]:
    """Return which series are stored from their first, and to their last observation."""
    slot, at = stored.slot[counted], stored.at[counted]
    low, high = np.searchsorted(slot, slots, "left"), np.searchsorted(slot, slots, "right")
    has = high > low
    first = np.full(len(slots), NULL, np.int64)
    last = first.copy()
    first[has], last[has] = at[low[has]], at[high[has] - 1]
    return first == tails.first_at[slots], last == tails.at[slots]


def _values(counted: Flag, found: Known) -> Int:
    """Return what observations are: a column each, and one of nulls at the end."""
    correction = found.counters.correction
    values = np.full((5, len(counted) + 1), NULL, np.int64)
    values[:, :-1][:, counted] = (
        found.counters.state,
        np.where(correction > 0, correction, NULL),
        found.knot_since,
        found.knot_until,
        found.opening,
    )
    return values


def _changed_rows(before: Grid, after: Grid, found: Windows, slot: Int, at: Int) -> GridRows:
    """Return the rows of windows that differ, and those that are gone."""
    after = after.take(found.hold_days(after.series, after.day))
    before = before.take(found.hold_days(before.series, before.day))
    same = after.unchanged_in(before, (*VALUES, "known_at"))
    written = after.take(~same | found.several[found.of(after.series)])
    gone = before.take(~np.isin(before.keys, after.keys))
    spare = _trailing(after, found, slot, at)
    spare = spare.take(~np.isin(spare.keys, gone.keys))
    withdrawn = np.repeat((False, True, True), (len(written.day), len(gone.day), len(spare.day)))
    rows = Grid.concatenate((written, gone, spare))
    order = np.argsort(rows.keys)
    return GridRows(rows.take(order), withdrawn[order], np.full(len(rows.day), NULL, np.int64))


def _trailing(after: Grid, found: Windows, slot: Int, at: Int) -> Grid:
    """Return the days after the grid's last up to the last observation, of several new ones.

    A worker that lags may have written them from some of the new observations.
    """
    numbers: list[Int] = []
    days: list[Int] = []
    for number in found.slots[found.several & ~found.incomplete].tolist():
        which = found.of(np.array([number]))[0]
        own = np.searchsorted(after.series, [number, number + 1])
        seen = np.searchsorted(slot, [number, number + 1])
        last = min(int(at[seen[1] - 1]) // DAY_MS, int(found.last_day[which]))
        first = int(after.day[own[1] - 1]) + 1 if own[1] > own[0] else int(at[seen[0]]) // DAY_MS
        days.append(np.arange(max(first, int(found.first_day[which])), last + 1))
        numbers.append(np.full(len(days[-1]), number, np.int64))
    if not days:
        return Grid.empty()
    day = np.concatenate(days)
    zero = np.zeros(len(day), np.int64)
    return Grid(np.concatenate(numbers), day, zero, zero, zero, zero.astype(np.int8), zero)


def _changed_superseded(before: Known, after: Known, found: Windows) -> GridRows:
    """Return the superseded rows of windows that differ, and those that never were."""
    old, new = (_superseded(one, found) for one in (before, after))
    several = set(found.slots[found.several].tolist())
    written = [(row, False) for key, row in new.items() if old.get(key) != row or key[0] in several]
    gone = [(row, True) for key, row in old.items() if key not in new]
    rows = np.array([row for row, _ in written + gone], np.int64).reshape(-1, 8)
    series, day, cumulative, downloads, correction, basis, known_at, superseded_at = rows.T
    withdrawn = np.array([flag for _, flag in written + gone], bool)
    grid = Grid(series, day, cumulative, downloads, correction, basis.astype(np.int8), known_at)
    return GridRows(grid, withdrawn, superseded_at)


def _superseded(one: Known, found: Windows) -> dict[tuple[int, int, int], tuple[int, ...]]:
    held = found.hold_days(one.superseded.series, one.superseded.day)
    columns = (*vars(one.superseded).values(), one.superseded_at)
    rows = zip(*(column[held].tolist() for column in columns), strict=True)
    return {(row[0], row[1], row[6]): row for row in rows}
