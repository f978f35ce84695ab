"""What was known of counters when: knots and grid rows that later observations change.

Observed in the order of time, most states are final at once. Two things change earlier ones: a run
of unchanged counters that lasts more than 4 days, and a counter that recovers from a fall.
"""

from dataclasses import dataclass

import numpy as np

from breakout.core.arrays import NULL, Flag, Int, first_of_series
from breakout.core.counters import HELD_MS, RENEWAL_MS, Counters, Moves, classify, rollbacks
from breakout.core.grid import VALUES, Grid, daily


@dataclass(frozen=True)
class Known:
    """The series of many counters, and how it came to be known."""

    counters: Counters
    opening: Int
    """Cumulative at 00:00 UTC of each knot's day, as `daily` returns it."""
    knot_since: Int
    """Moment of the later observation that made it a knot; NULL = its own, or it is none."""
    knot_until: Int
    """Moment of the later observation since which it is no knot; NULL = it is one, or never was."""
    grid: Grid
    """With `known_at` being the moment of the observation since which each row is known."""
    superseded: Grid
    """Rows that were known for a time, ordered by `known_at` within a series and day."""
    superseded_at: Int
    """Moment of the observation that replaced or removed each of them."""


def known(series: Int, at: Int, raw: Int) -> Known:
    """Return what is known of many counters, and since when; columns as in `classify`."""
    counters = classify(series, at, raw)
    grid, opening = daily(series, at, raw, counters)
    since, until = np.full(len(at), NULL, np.int64), np.full(len(at), NULL, np.int64)
    events = _events(series, at, raw)
    if not len(events):
        return Known(counters, opening, since, until, grid, Grid.empty(), since[:0])
    numbers = np.unique(series[events])
    part = np.flatnonzero(np.isin(series, numbers))
    rounds = _rounds(series[part], at[part], raw[part], np.searchsorted(part, events))
    since[part], until[part] = rounds.since, rounds.until
    grid.known_at[np.isin(grid.series, numbers)] = rounds.rows.known_at
    gone = Grid.concatenate(rounds.gone)
    gone_at = np.concatenate(rounds.gone_at)
    order = np.lexsort((gone.known_at, gone.day, gone.series))
    return Known(counters, opening, since, until, grid, gone.take(order), gone_at[order])


def _events(series: Int, at: Int, raw: Int) -> Int:
    """Return the places of observations that may change what was known before them."""
    moves = Moves.of(series, raw)
    change = moves.change
    unchanged = at - at[change]
    passing = np.zeros(len(at), bool)
    # An unchanged observation after 4 days, with one before it that may have been held.
    passing[1:] = (
        (change[1:] == change[:-1])
        & (unchanged[1:] > HELD_MS)
        & (unchanged[:-1] <= HELD_MS)
        & (unchanged[:-1] >= RENEWAL_MS)
    )
    _, ends = rollbacks(series, at, raw, moves)
    return np.union1d(np.flatnonzero(passing), ends[ends > 0])


@dataclass
class _Rounds:
    """What is known after each event, series by series."""

    since: Int
    until: Int
    rows: Grid
    gone: list[Grid]
    gone_at: list[Int]


def _rounds(series: Int, at: Int, raw: Int, events: Int) -> _Rounds:
    """Compute what is known before the first event of each series, after it, and so on."""
    owner = series[events]
    begins = np.flatnonzero(first_of_series(owner))
    numbers, count = owner[begins], np.diff(np.append(begins, len(events)))
    which = np.searchsorted(numbers, series)
    place = np.arange(len(at))
    ends = np.searchsorted(series, numbers, "right")
    knot, rows = _before(series, at, raw, place < events[begins][which])
    found = _Rounds(
        np.full(len(at), NULL, np.int64), np.full(len(at), NULL, np.int64), rows, [], []
    )
    for number in range(int(count.max())):
        has = count > number
        event = events[begins + np.minimum(number, count - 1)]
        next_event = np.where(
            count > number + 1, events[begins + np.minimum(number + 1, count - 1)], ends
        )
        here = has[which]
        now, rows = _before(series, at, raw, here & (place < next_event[which]))
        moment = at[event][which]
        earlier = here & (place < event[which])
        gained, lost = earlier & now & ~knot, earlier & knot & ~now
        found.since[gained], found.until[lost] = moment[gained], moment[lost]
        knot = np.where(here, now, knot)
        _supersede(found, rows, numbers[has], at[event][has])
    return found


def _before(series: Int, at: Int, raw: Int, wanted: Flag) -> tuple[Flag, Grid]:
    """Return the knots and the grid that follow from some of the observations."""
    picked = np.flatnonzero(wanted)
    counters = classify(series[picked], at[picked], raw[picked])
    rows, _ = daily(series[picked], at[picked], raw[picked], counters)
    knot = np.zeros(len(at), bool)
    knot[picked] = counters.knot
    return knot, rows


def _supersede(found: _Rounds, rows: Grid, numbers: Int, moments: Int) -> None:
    """Replace the rows of some series; `moments` are those of their events."""
    mine = np.isin(found.rows.series, numbers)
    old, others = found.rows.take(mine), found.rows.take(~mine)
    moment = moments[np.searchsorted(numbers, rows.series)]
    kept = rows.unchanged_in(old, VALUES)
    rows.known_at[:] = np.maximum(rows.known_at, moment)
    rows.known_at[kept] = old.known_at[np.searchsorted(old.keys, rows.keys[kept])]
    gone = old.take(~old.unchanged_in(rows, VALUES))
    found.gone.append(gone)
    found.gone_at.append(moments[np.searchsorted(numbers, gone.series)])
    both = Grid.concatenate([others, rows])
    found.rows = both.take(np.argsort(both.keys))
