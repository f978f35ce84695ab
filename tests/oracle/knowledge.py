"""Since when, and until when, each row of a grid and each knot was known.

At each moment that had an observation everything is computed from the observations until then.
"""

from functools import cache
from typing import NamedTuple

from . import counters

History = tuple[counters.Observation, ...]


class KnownRow(NamedTuple):
    """A row as known from one moment until another; until None: still."""

    row: counters.Row
    since: int
    until: int | None


class KnownKnot(NamedTuple):
    """When an observation became a knot and when it ceased to be one, by later observations."""

    since: int | None
    """None: a knot from the start, or never one."""
    until: int | None
    """None: still a knot, or never one."""


@cache
def known_rows(history: History) -> tuple[KnownRow, ...]:
    """Return every row that the grid of a series has ever had."""
    found: list[KnownRow] = []
    current: dict[int, tuple[counters.Row, int]] = {}
    for length in range(1, len(history) + 1):
        moment = history[length - 1][0]
        rows = {row.day: row for row in counters.grid(list(history[:length]))}
        for day, (row, since) in list(current.items()):
            if rows.get(day) != row:
                found.append(KnownRow(row, since, moment))
                del current[day]
        for day, row in rows.items():
            current.setdefault(day, (row, moment))
    found += [KnownRow(row, since, None) for row, since in current.values()]
    return tuple(sorted(found))


@cache
def known_knots(history: History) -> tuple[KnownKnot, ...]:
    """Return since and until when each observation of a series is a knot."""
    moments = [moment for moment, _ in history]
    flags: list[list[bool]] = [[] for _ in history]
    for length in range(1, len(history) + 1):
        for place, state in enumerate(counters.states(list(history[:length]))):
            flags[place].append(state in counters.KNOTS)
    found = []
    for place, own in enumerate(flags):
        since: int | None = None
        until: int | None = None
        for after in range(1, len(own)):
            if own[after] and not own[after - 1]:
                assert since is None, "became a knot twice"
                since = moments[place + after]
            if not own[after] and own[after - 1]:
                assert until is None, "ceased to be a knot twice"
                until = moments[place + after]
        found.append(KnownKnot(since, until))
    return tuple(found)
