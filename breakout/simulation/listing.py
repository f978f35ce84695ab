"""One page of the list of models: filtered, sorted, and cut at a cursor."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from breakout.simulation.counters import Snapshot
from breakout.simulation.query import Cursor, ListQuery
from breakout.simulation.rows import Rows

# Before any model, ascending or descending: keys are integers far smaller than this.
START = Cursor(-(2**100), "")

Place = tuple[int, str, int]
"""A model's place in a sorted list: its sort key, `_id`, and index in the catalog."""


class PageSpan(NamedTuple):
    """A page as a slice of the sorted places, and the cursor of the next page."""

    start: int
    end: int
    next_cursor: Cursor | None
    """None on the last page."""


def sorted_places(rows: Rows, query: ListQuery, snapshot: Snapshot, now: datetime) -> list[Place]:
    """Return the places of all models that match the query."""
    sign = -1 if query.descending else 1
    keys = rows.sort_keys(query.sort, snapshot)
    return sorted(
        (sign * (-1 if (key := keys[i]) is None else key), rows.object_ids[i], i)
        for i in rows.matching(query, now)
    )


def page_span(places: Sequence[Place], query: ListQuery) -> PageSpan:
    """Return the page after the query's cursor."""
    cursor = query.cursor or START
    start = bisect_right(places, (cursor.key, cursor.object_id), key=lambda place: place[:2])
    end = start + query.limit
    return PageSpan(start, end, Cursor(*places[end - 1][:2]) if end < len(places) else None)
