"""Reads the wanted models' counters from a Parquet snapshot of the Hub, and little else of it."""

import asyncio
from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import ValidationError

from breakout.contract.events import DeadLetter
from breakout.core.times import from_ms
from collectors.backfill.remote import RemoteFile
from collectors.http.client import Source
from collectors.hub.counters import Counters
from collectors.publishing.dead_letters import dead_letter
from collectors.publishing.rejected_rows import explain
from collectors.sources.fields import to_integer

ID = "id"
COUNTERS = ("downloads", "downloadsAllTime", "likes")
"""Columns of a snapshot; null where an older snapshot lacks one."""
CREATED_AT = "createdAt"
"""Read only where an all-time counter is null: it tells which repositories are young."""

MOST_ROWS = 10_000_000
"""Most rows of a row group: the entire Hub has about three million."""
LARGEST_COLUMNS = 1 << 30
"""Most bytes of a row group's columns, uncompressed."""

_BATCH_ROWS = 65_536
_GAP_BYTES = 64 << 10
"""Columns no further apart than this are read together: another request would take longer."""


class SnapshotError(Exception):
    """A snapshot that cannot be read; the message is why."""


@dataclass
class Found:
    """The wanted models in a snapshot."""

    counters: dict[str, Counters] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    bytes_read: int = 0
    file_bytes: int = 0


async def read_snapshot(
    source: Source, path: str, wanted: Collection[str], *, origin: str
) -> Found:
    """Read the wanted models' counters by range requests.

    The counters of a row group are read only if its column of ids has wanted ones. Raises
    `SnapshotError` for an invalid snapshot; `SourceError`.
    """
    loop = asyncio.get_running_loop()
    return await asyncio.to_thread(_read, source, path, wanted, origin, loop)


def _read(
    source: Source,
    path: str,
    wanted: Collection[str],
    origin: str,
    loop: asyncio.AbstractEventLoop,
) -> Found:
    remote = RemoteFile(source, path, loop)
    try:
        return _search(remote, path, wanted, origin)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise SnapshotError(f"{path} is not a readable Parquet file: {error}") from None


def _search(remote: RemoteFile, path: str, wanted: Collection[str], origin: str) -> Found:
    # Keeps dictionaries encoded: a long id that a million rows share is stored once.
    file = pq.ParquetFile(pa.PythonFile(remote, mode="r"), pre_buffer=False, read_dictionary=[ID])
    columns = _columns(path, file.schema_arrow)
    ids = sorted(wanted)
    wanted_ids = pa.array(ids, pa.string())
    found = Found(file_bytes=remote.size)
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        if not _may_hold(group, ids):
            continue
        _check_size(path, group, {ID, CREATED_AT, *columns})
        for chunk in _chunks(group, {ID}):
            remote.fetch(chunk.begin, chunk.end)
        numbers = _row_numbers(file, number, wanted_ids)
        if not numbers or not columns:
            continue
        rows: list[dict[str, Any]] = [{} for _ in numbers]
        _read_columns(remote, file, number, columns, numbers, rows)
        if any(map(_lacks_all_time, rows)):
            _read_columns(remote, file, number, [CREATED_AT], numbers, rows)
        for model_id, row in zip(numbers.values(), rows, strict=True):
            _add(found, origin, model_id, row)
    found.bytes_read = remote.bytes_read
    return found


def _columns(path: str, schema: pa.Schema) -> list[str]:
    """Return the columns of counters. Raises `SnapshotError` for missing or non-numeric columns."""
    if ID not in schema.names:
        raise SnapshotError(f"{path} has no column {ID}: it has {', '.join(schema.names)}")
    columns = [name for name in COUNTERS if name in schema.names]
    for name in columns:
        kind = schema.field(name).type
        # A column that is null everywhere may have been written with no other type.
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind)):
            raise SnapshotError(f"{path} has a column {name} of {kind}, not of numbers")
    return columns


def _check_size(path: str, group: Any, names: set[str]) -> None:
    """Raise `SnapshotError` for a row group that exceeds the memory limits."""
    columns = [group.column(number) for number in range(group.num_columns)]
    size = sum(
        column.total_uncompressed_size for column in columns if column.path_in_schema in names
    )
    if group.num_rows > MOST_ROWS or size > LARGEST_COLUMNS:
        raise SnapshotError(
            f"{path} has a row group of {group.num_rows:,} rows and {size:,} bytes, more than "
            f"{MOST_ROWS:,} or {LARGEST_COLUMNS:,}"
        )


def _row_numbers(file: Any, group: int, wanted: pa.Array) -> dict[int, str]:
    """Return the wanted ids of a row group by row number, in order."""
    found: dict[int, str] = {}
    begin = 0
    for batch in file.iter_batches(_BATCH_ROWS, row_groups=[group], columns=[ID]):
        names = batch.column(0)
        known = names.dictionary.cast(pa.string())
        numbers = pc.indices_nonzero(pc.is_in(known, value_set=wanted).take(names.indices))
        ids = known.take(names.indices.take(numbers))
        found |= {
            begin + row: model_id
            for row, model_id in zip(numbers.to_pylist(), ids.to_pylist(), strict=True)
        }
        begin += batch.num_rows
    return found


def _may_hold(group: Any, ids: list[str]) -> bool:
    """Whether the row group's statistics, if any, allow for any of the sorted ids."""
    for number in range(group.num_columns):
        column = group.column(number)
        if column.path_in_schema == ID and column.is_stats_set and column.statistics.has_min_max:
            place = bisect_left(ids, str(column.statistics.min))
            return place < len(ids) and ids[place] <= str(column.statistics.max)
    return True


def _read_columns(
    remote: RemoteFile,
    file: Any,
    number: int,
    columns: list[str],
    numbers: dict[int, str],
    rows: list[dict[str, Any]],
) -> None:
    """Add columns of some rows of a row group to `rows`, reading one column at a time.

    What is between two columns is not read: it may be most of the file. A column that the file
    lacks is skipped.
    """
    wanted = pa.array(numbers, pa.int64())
    for chunk in _chunks(file.metadata.row_group(number), set(columns)):
        remote.fetch(chunk.begin, chunk.end)
        for name in chunk.columns:
            column = file.read_row_group(number, columns=[name]).column(0)
            for row, value in zip(rows, _values(column.take(wanted)), strict=True):
                row[name] = value


def _values(column: Any) -> list[Any]:
    """Return the values of a column; times as milliseconds have no units that Python lacks."""
    if not pa.types.is_timestamp(column.type):
        values: list[Any] = column.to_pylist()
        return values
    milliseconds = column.cast(pa.timestamp("ms", column.type.tz), safe=False).cast(pa.int64())
    return [None if one is None else _time(one) for one in milliseconds.to_pylist()]


def _time(milliseconds: int) -> datetime | None:
    try:
        return from_ms(milliseconds)
    except OverflowError:
        return None


def _lacks_all_time(row: dict[str, Any]) -> bool:
    all_time, days_30 = (_to_integer(row.get(name)) for name in ("downloadsAllTime", "downloads"))
    return all_time is None and days_30 is not None


class _Chunk(NamedTuple):
    """The bytes of a row group's column, or of several adjacent ones."""

    begin: int
    end: int
    columns: tuple[str, ...]


def _chunks(group: Any, names: set[str]) -> list[_Chunk]:
    """Return the chunks of the columns, adjacent ones merged."""
    chunks: list[_Chunk] = []
    for number in range(group.num_columns):
        column = group.column(number)
        if column.path_in_schema not in names:
            continue
        begin = column.dictionary_page_offset or column.data_page_offset
        begin = min(begin, column.data_page_offset)
        chunk = _Chunk(begin, begin + column.total_compressed_size, (column.path_in_schema,))
        if chunks and 0 <= chunk.begin - chunks[-1].end <= _GAP_BYTES:
            chunk = _Chunk(chunks[-1].begin, chunk.end, chunks.pop().columns + chunk.columns)
        chunks.append(chunk)
    return chunks


def _add(found: Found, origin: str, model_id: str, row: dict[str, Any]) -> None:
    try:
        values = {name: _to_integer(value) for name, value in row.items()}
        found.counters[model_id] = Counters.model_validate({"id": model_id, **values})
    except ValidationError as error:
        reason = explain(error)
        shown = {"id": model_id, **{name: str(value) for name, value in row.items()}}
        found.dead_letters.append(dead_letter(origin, "backfill", shown, f"{model_id}: {reason}"))
        found.missing[model_id] = f"invalid row: {reason}"


def _to_integer(count: Any) -> Any:
    """Convert a count of a float column; a column with nulls is of floats, with NaN for null."""
    return None if count != count else to_integer(count)  # noqa: PLR0124 - NaN is a null
