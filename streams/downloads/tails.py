"""Where each series stands: all that observations newer than its latest depend on."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from breakout.core.arrays import NULL, Flag, Int, last_of_series
from breakout.core.counters import ROLLBACK_MS, Counters, Moves, State
from breakout.core.times import DAY_MS
from streams.downloads.recent_changes import RecentChanges


@dataclass(frozen=True)
class Ends:
    """All that is known of the ends of series, by slot and time."""

    slot: Int
    at: Int
    raw: Int
    counters: Counters
    opening: Int


@dataclass
class Tails:
    """Columns by slot; `NULL` where there is none. Times in milliseconds UTC."""

    source: Int
    """Number of the source."""
    latest_at: Int
    """Latest observation, with or without a counter."""
    first_at: Int
    """First observation with a counter."""
    at: Int
    """Latest observation with a counter, and the counter."""
    raw: Int
    changed_at: Int
    """Where the counter last changed."""
    knot_at: Int
    """The last knot, its counter, and the cumulative at 00:00 UTC of its day."""
    knot_raw: Int
    opening: Int
    fall_until: Int
    """Until when a fall is rolled back by a counter of at least `fall_raw`."""
    fall_raw: Int
    held: Flag
    """Whether an unchanged observation since the last change is held."""
    unsure: Flag
    """Whether one since the last knot is held or rolled back."""
    corrected: Flag
    """Whether the last knot's day has a correction."""
    changes: RecentChanges

    @classmethod
    def empty(cls, size: int) -> "Tails":
        """Return series without observations."""
        columns: dict[str, Any] = {
            column.name: np.zeros(size, bool)
            if column.type == Flag
            else np.full(size, NULL, np.int64)
            for column in fields(cls)
        }
        columns["changes"] = RecentChanges()
        columns["changes"].reserve(size)
        return cls(**columns)

    def reserve(self, size: int) -> None:
        """Make room for so many series."""
        while len(self.at) < size:
            more = Tails.empty(max(len(self.at), 1024))
            for column in fields(self)[:-1]:
                both = (getattr(self, column.name), getattr(more, column.name))
                setattr(self, column.name, np.concatenate(both))
            self.changes.reserve(len(self.at))

    def observe(self, slot: Int, at: Int) -> None:
        """Take in the times of observations, with or without a counter; sorted by slot and time."""
        last = last_of_series(slot)
        self.latest_at[slot[last]] = np.maximum(self.latest_at[slot[last]], at[last])

    def restate(self, ends: Ends) -> None:
        """Take in all that is known of the ends of some series."""
        slot, at, raw, counters = ends.slot, ends.at, ends.raw, ends.counters
        if not len(slot):
            return
        last = np.flatnonzero(last_of_series(slot))
        slots = slot[last]
        moves = Moves.of(slot, raw)
        change = moves.change
        self.at[slots], self.raw[slots] = at[last], raw[last]
        self.changed_at[slots] = at[change[last]]
        self.changes.forget(slots)
        changed = np.flatnonzero(moves.changed)
        self.changes.add(slot[changed], at[changed], np.maximum(moves.grown[changed], 0))
        knot = np.maximum.accumulate(np.where(counters.knot, np.arange(len(at)), 0))
        self.knot_at[slots], self.knot_raw[slots] = at[knot[last]], raw[knot[last]]
        self.opening[slots] = ends.opening[knot[last]]
        held = counters.state == State.HELD
        self.held[slots] = _any_since(held, change[last], last)
        unsure = held | (counters.state == State.ROLLBACK)
        self.unsure[slots] = _any_since(unsure, knot[last], last)
        fall = counters.correction > 0
        began = np.searchsorted(slot, slots, "left")
        opened = (at // DAY_MS * DAY_MS)[knot[last]]
        self.corrected[slots] = False
        self.fall_until[slots] = NULL
        for number in np.flatnonzero(_any_since(fall, began, last)).tolist():
            falls = began[number] + np.flatnonzero(fall[began[number] : last[number] + 1])
            open_falls = falls[at[falls] + ROLLBACK_MS >= at[last[number]]]
            self.corrected[slots[number]] = bool((at[falls] >= opened[number]).any())
            if len(open_falls):
                self.fall_until[slots[number]] = at[open_falls[-1]] + ROLLBACK_MS
                self.fall_raw[slots[number]] = raw[open_falls - 1].min()


def _any_since(flags: Flag, begin: Int, end: Int) -> Flag:
    """Return whether any flag is set from each begin to each end, both included."""
    passed = np.concatenate(([0], np.cumsum(flags)))
    found: Flag = passed[end + 1] > passed[begin]
    return found
