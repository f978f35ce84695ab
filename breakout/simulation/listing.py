"""One page of the list of models: filtered, sorted, and cut at a cursor."""

from bisect import bisect_right
from datetime import datetime
from typing import Any

from breakout.simulation.counters import Snapshot
from breakout.simulation.faults import (
    CursorLoop,
    Duplicates,
    Fault,
    RepeatedCursor,
    change_rows,
)
from breakout.simulation.query import Cursor, ListQuery
from breakout.simulation.rows import DEFAULT_FIELDS, FULL_FIELDS, Rows

# Before any model, ascending or descending: keys are whole numbers far smaller than this.
_START = Cursor(-(2**100), "")


def list_page(
    rows: Rows, query: ListQuery, snapshot: Snapshot, now: datetime, faults: list[Fault]
) -> tuple[list[dict[str, Any]], Cursor | None]:
    """Return the page's rows and the cursor of the next page, None on the last."""
    sign = -1 if query.descending else 1
    keys = rows.sort_keys(query.sort, snapshot)
    places = sorted(
        (sign * (-1 if (key := keys[i]) is None else key), rows.object_ids[i], i)
        for i in rows.matching(query, now)
    )
    cursor = query.cursor or _START
    start = bisect_right(places, (cursor.key, cursor.object_id), key=lambda place: place[:2])
    end = start + query.limit
    following = Cursor(*places[end - 1][:2]) if end < len(places) else None
    for fault in faults:
        match fault:
            case Duplicates():
                start = max(start - fault.count, 0)
            case RepeatedCursor():
                following = cursor
            case CursorLoop() if cursor == _START:
                following = following or Cursor(*places[-1][:2]) if places else _START
            case CursorLoop():
                following = _START
    fields = query.fields or (FULL_FIELDS if query.full else DEFAULT_FIELDS)
    page = [rows.row(i, fields, snapshot, now) for _, _, i in places[start:end]]
    return change_rows(page, faults), following
