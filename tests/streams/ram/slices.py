"""Slices of the daily grid, built by hand."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from breakout.contract import DailySlice
from breakout.core.sizes import SizeBin

EPOCH = date(1970, 1, 1)
RELEASED = date(2026, 3, 1)
CHANGED = datetime(2026, 3, 1, tzinfo=UTC)
SIZE_BIN: SizeBin = "7-9B"


@dataclass(frozen=True)
class GridRow:
    """A row of the grid; without a cumulative it is withdrawn."""

    cumulative: int | None
    downloads: int | None
    gap: bool = False


WITHDRAWN = GridRow(None, None)


@dataclass
class Entry:
    """What a slice says of one model; days are UTC days since 1970."""

    model_id: str
    rows: dict[int, GridRow] = field(default_factory=dict)
    released_at: date | None = RELEASED
    tracked: bool = True
    known: int = 1
    changed_at: datetime = CHANGED
    reread: bool = False
    knot: tuple[datetime, int] | None = None


def day_of(age: int, released_at: date = RELEASED) -> int:
    """Return the day that ends at an age."""
    return (released_at - EPOCH).days + age - 1


def end_of(day: int) -> datetime:
    """Return the moment at which a day ends."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day + 1)


def grid(cumulative: Iterable[int], *, age: int = 0) -> dict[int, GridRow]:
    """Return rows of consecutive days, from the one that ends at an age: the first is partial."""
    rows: dict[int, GridRow] = {}
    before: int | None = None
    for step, total in enumerate(cumulative):
        rows[day_of(age + step)] = GridRow(total, None if before is None else total - before)
        before = total
    return rows


def slice_of(*entries: Entry, size_bin: SizeBin = SIZE_BIN) -> DailySlice:
    """Return a slice of models; without a knot, each has one at the end of its last day."""
    rows = [(index, *row) for index, one in enumerate(entries) for row in one.rows.items()]
    knots = [one.knot or _last(one) for one in entries]
    return DailySlice(
        size_bin=size_bin,
        models=[one.model_id for one in entries],
        registry_changed_at=[one.changed_at for one in entries],
        known=[one.known for one in entries],
        tracked=[one.tracked for one in entries],
        released_at=[one.released_at for one in entries],
        reread=[one.reread for one in entries],
        knot_at=[knot[0] if knot else None for knot in knots],
        knot_cumulative=[knot[1] if knot else None for knot in knots],
        row_model=[index for index, _, _ in rows],
        row_day=[day for _, day, _ in rows],
        row_cumulative=[row.cumulative for _, _, row in rows],
        row_downloads=[row.downloads for _, _, row in rows],
        row_gap=[row.gap for _, _, row in rows],
    )


def _last(entry: Entry) -> tuple[datetime, int] | None:
    days = [day for day, row in entry.rows.items() if row.cumulative is not None]
    if not days:
        return None
    total = entry.rows[max(days)].cumulative
    return None if total is None else (end_of(max(days)), total)
