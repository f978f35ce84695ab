"""Turns a file of observations, in any order and of any size, into scrapes.

Rows are spooled by month to a temporary folder and sorted there, so that memory does not grow with
the file. All models of the same time become one scrape.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from breakout.core.times import DAY_MS, from_ms, to_ms
from collectors.backfill.observation_rows import SPOOL_SCHEMA, InvalidRow, validate
from collectors.backfill.observations_file import COUNTS, ObservationsFileError, read_batches
from collectors.hub.counters import Counters
from collectors.publishing.slices import Scrape

_MOST_ROWS = 2_000_000
"""Rows sorted in memory at once."""


@dataclass
class Spooled:
    """The rows of a file, by month."""

    months: dict[int, Path] = field(default_factory=dict)
    """Files by months since year 0."""
    rows: int = 0
    models: set[str] = field(default_factory=set)
    first_ms: int | None = None
    last_ms: int | None = None
    invalid: list[InvalidRow] = field(default_factory=list)


def spool(path: Path, folder: Path, *, now: datetime) -> Spooled:
    """Spool a file's valid rows into the folder, by month; collect the invalid ones.

    Raises `ObservationsFileError`.
    """
    spooled = Spooled()
    with ExitStack() as stack:
        writers: dict[int, Any] = {}
        rows_read = 0
        for batch in read_batches(path):
            try:
                table, invalid = validate(batch, rows_read + 1, to_ms(now))
            except pa.ArrowException as error:
                rows = f"rows {rows_read + 1} to {rows_read + batch.num_rows}"
                raise ObservationsFileError(f"{path}, {rows}: cannot be read: {error}") from None
            rows_read += batch.num_rows
            spooled.invalid += invalid
            _count(spooled, table)
            for month, part in _by_month(table):
                if month not in writers:
                    spooled.months[month] = folder / f"{month}.arrow"
                    sink = stack.enter_context(pa.OSFile(str(spooled.months[month]), "wb"))
                    writers[month] = stack.enter_context(pa.ipc.new_file(sink, SPOOL_SCHEMA))
                writers[month].write_table(part)
    if not rows_read:
        raise ObservationsFileError(f"{path}: has no rows after its header: nothing to publish")
    return spooled


def scrapes(spooled: Spooled, source: str, origin: str) -> Iterator[Scrape]:
    """Yield one scrape per time, in order of time.

    Of several rows with the same model and time, the highest counts are used, as everywhere, and
    the earliest creation: a contradiction makes no repository young.
    """
    for _, path in sorted(spooled.months.items()):
        with pa.memory_map(str(path)) as mapped:
            table = pa.ipc.open_file(mapped).read_all()
            for part in _portions(table):
                yield from _scrapes_of(part, source, origin)


def _count(spooled: Spooled, table: pa.Table) -> None:
    if not table.num_rows:
        return
    spooled.rows += table.num_rows
    spooled.models.update(pc.unique(table["model"]).to_pylist())
    bounds = pc.min_max(table["at"]).as_py()
    if spooled.first_ms is None or spooled.last_ms is None:
        spooled.first_ms, spooled.last_ms = bounds["min"], bounds["max"]
    spooled.first_ms = min(bounds["min"], spooled.first_ms)
    spooled.last_ms = max(bounds["max"], spooled.last_ms)


def _by_month(table: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    times = table["at"].cast(pa.timestamp("ms"))
    months = pc.add(pc.multiply(pc.year(times), 12), pc.month(times))
    for month in pc.unique(months).to_pylist():
        yield month, table.filter(pc.equal(months, month))


def _portions(table: pa.Table) -> Iterable[pa.Table]:
    """Return a month as one table, or as one per day when it is large."""
    if table.num_rows <= _MOST_ROWS:
        return [table]
    days = pc.divide(table["at"], DAY_MS)
    return (table.filter(pc.equal(days, day)) for day in sorted(pc.unique(days).to_pylist()))


def _scrapes_of(table: pa.Table, source: str, origin: str) -> Iterator[Scrape]:
    merged = table.group_by(["at", "model"]).aggregate(
        [*((name, "max") for name in COUNTS), ("created_at", "min")]
    )
    merged = merged.sort_by([("at", "ascending"), ("model", "ascending")])
    columns = [merged[name].to_pylist() for name in ("at", "model")]
    columns += [merged[f"{name}_max"].to_pylist() for name in COUNTS]
    columns.append(merged["created_at_min"].to_pylist())
    start = 0
    times = columns[0]
    while start < len(times):
        end = start
        while end < len(times) and times[end] == times[start]:
            end += 1
        rows = zip(*(column[start:end] for column in columns[1:]), strict=True)
        yield Scrape(
            source,
            from_ms(times[start]),
            {
                model: Counters.model_construct(
                    id=model,
                    downloads_all_time=all_time,
                    downloads_30d=days_30,
                    likes=likes,
                    created_at=None if created is None else from_ms(created),
                )
                for model, all_time, days_30, likes, created in rows
            },
            origin=origin,
        )
        start = end
