"""One snapshot of the whole Hub as Parquet: the wanted models' counters, and no more of it."""

import asyncio
from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import ValidationError

from breakout.contract.events import DeadLetter
from collectors.backfill.remote import RemoteFile
from collectors.http.client import Source
from collectors.hub.counters import Counters
from collectors.publishing.rejected_rows import dead_letter, explain
from collectors.sources.fields import whole

ID = "id"
COUNTERS = ("downloads", "downloadsAllTime", "likes")
"""Columns of a snapshot; one that an older snapshot lacks is null."""

MOST_ROWS = 10_000_000
"""Rows of a row group that are read at most: the whole Hub has some three million."""
LARGEST_COLUMNS = 1 << 30
"""Bytes of a row group's columns, without compression, that are read at most."""

_BATCH_ROWS = 65_536
_NEAR_BYTES = 64 << 10
"""What lies between two columns and is read with them: another request would take longer."""


class SnapshotError(Exception):
    """A snapshot that cannot be read. The message says why."""


@dataclass
class Found:
    """What a snapshot holds of the wanted models."""

    counters: dict[str, Counters] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    bytes_read: int = 0
    bytes_whole: int = 0
    """Of the whole file."""


async def read_snapshot(
    source: Source, path: str, wanted: Collection[str], *, origin: str
) -> Found:
    """Read the wanted models' counters by range requests.

    Of each row group the column of ids is read, and the counters only where it has wanted ids.
    Raises `SnapshotError` for what is no such snapshot; `SourceError`.
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
        raise SnapshotError(f"{path} is no Parquet file that can be read: {error}") from None


def _search(remote: RemoteFile, path: str, wanted: Collection[str], origin: str) -> Found:
    # A dictionary stays one: a long id that a million rows share is not written out for each.
    file = pq.ParquetFile(pa.PythonFile(remote, mode="r"), pre_buffer=False, read_dictionary=[ID])
    columns = _columns(path, file.schema_arrow)
    ids = sorted(wanted)
    wanted_ids = pa.array(ids, pa.string())
    found = Found(bytes_whole=remote.size)
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        if not _may_hold(group, ids):
            continue
        _check_size(path, group, {ID, *columns})
        for chunk in _chunks(group, {ID}):
            remote.fetch(chunk.begin, chunk.end)
        places = _places(file, number, wanted_ids)
        if not places or not columns:
            continue
        rows = _counts(remote, file, number, columns, places)
        for model_id, row in zip(places.values(), rows, strict=True):
            _note(found, origin, model_id, row)
    found.bytes_read = remote.bytes_read
    return found


def _columns(path: str, schema: pa.Schema) -> list[str]:
    """Return the counters' columns. Raises `SnapshotError` for columns of another type."""
    if ID not in schema.names:
        raise SnapshotError(f"{path} has no column {ID}: it has {', '.join(schema.names)}")
    columns = [name for name in COUNTERS if name in schema.names]
    for name in columns:
        kind = schema.field(name).type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise SnapshotError(f"{path} has a column {name} of {kind}, not of numbers")
    return columns


def _check_size(path: str, group: Any, names: set[str]) -> None:
    """Raise `SnapshotError` for a row group that takes more memory than there should be."""
    columns = [group.column(number) for number in range(group.num_columns)]
    size = sum(one.total_uncompressed_size for one in columns if one.path_in_schema in names)
    if group.num_rows > MOST_ROWS or size > LARGEST_COLUMNS:
        raise SnapshotError(
            f"{path} has a row group of {group.num_rows:,} rows and {size:,} bytes, more than "
            f"{MOST_ROWS:,} or {LARGEST_COLUMNS:,}"
        )


def _places(file: Any, group: int, wanted: pa.Array) -> dict[int, str]:
    """Return the wanted ids of a row group by their places in it, in order."""
    found: dict[int, str] = {}
    begin = 0
    for batch in file.iter_batches(_BATCH_ROWS, row_groups=[group], columns=[ID]):
        names = batch.column(0)
        known = names.dictionary.cast(pa.string())
        places = pc.indices_nonzero(pc.is_in(known, value_set=wanted).take(names.indices))
        ids = known.take(names.indices.take(places))
        found |= {
            begin + place: model_id
            for place, model_id in zip(places.to_pylist(), ids.to_pylist(), strict=True)
        }
        begin += batch.num_rows
    return found


def _may_hold(group: Any, ids: list[str]) -> bool:
    """Whether the row group's range of ids, where it states one, has any of the sorted ids."""
    for number in range(group.num_columns):
        column = group.column(number)
        if column.path_in_schema == ID and column.is_stats_set and column.statistics.has_min_max:
            place = bisect_left(ids, str(column.statistics.min))
            return place < len(ids) and ids[place] <= str(column.statistics.max)
    return True


def _counts(
    remote: RemoteFile, file: Any, number: int, columns: list[str], places: dict[int, str]
) -> list[dict[str, Any]]:
    """Return the counters at some places of a row group, reading a column at a time.

    Whatever lies between two columns stays where it is: it may be most of the file.
    """
    rows: list[dict[str, Any]] = [{} for _ in places]
    wanted = pa.array(places, pa.int64())
    for chunk in _chunks(file.metadata.row_group(number), set(columns)):
        remote.fetch(chunk.begin, chunk.end)
        for name in chunk.columns:
            column = file.read_row_group(number, columns=[name]).column(0)
            for row, count in zip(rows, column.take(wanted).to_pylist(), strict=True):
                row[name] = count
    return rows


class _Chunk(NamedTuple):
    """A part of the file that holds a row group's values of one column, or of neighbours."""

    begin: int
    end: int
    columns: tuple[str, ...]


def _chunks(group: Any, names: set[str]) -> list[_Chunk]:
    """Return where the columns are, neighbours as one."""
    chunks: list[_Chunk] = []
    for number in range(group.num_columns):
        column = group.column(number)
        if column.path_in_schema not in names:
            continue
        begin = column.dictionary_page_offset or column.data_page_offset
        begin = min(begin, column.data_page_offset)
        one = _Chunk(begin, begin + column.total_compressed_size, (column.path_in_schema,))
        if chunks and 0 <= one.begin - chunks[-1].end <= _NEAR_BYTES:
            one = _Chunk(chunks[-1].begin, one.end, chunks.pop().columns + one.columns)
        chunks.append(one)
    return chunks


def _note(found: Found, origin: str, model_id: str, row: dict[str, Any]) -> None:
    try:
        said = {name: _whole(count) for name, count in row.items()}
        found.counters[model_id] = Counters.model_validate({"id": model_id, **said})
    except ValidationError as error:
        why = explain(error)
        kept = {"id": model_id, **{name: str(count) for name, count in row.items()}}
        found.dead_letters.append(dead_letter(origin, "backfill", kept, f"{model_id}: {why}"))
        found.missing[model_id] = f"unreadable row: {why}"


def _whole(count: Any) -> Any:
    """Return a count of a column that has nulls, and is of floats therefore."""
    return None if count != count else whole(count)  # noqa: PLR0124 - NaN is a null
