"""A person's own CSV or Parquet file of (model, moment, downloads), in any order and size.

Rows are spooled by month to a temporary folder and sorted there, so that memory does not grow
with the file, and all models of one moment become one scrape.
"""

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from breakout.contract.events import MAX_COUNTER
from breakout.core.times import DAY_MS, from_ms, to_ms
from breakout.registry.fields import model_id
from breakout.registry.table import FieldError
from collectors.hub.counters import Counters
from collectors.publishing.slices import Scrape

REQUIRED = ("model_id", "observed_at", "downloads_all_time")
OPTIONAL = ("downloads_30d", "likes")

MISSING = ("", "NA")
"""Values that are null: R writes NA for one that is missing."""

DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}

_MOST_ROWS_AT_ONCE = 2_000_000
_BATCH_ROWS = 200_000
_LONGEST_ROW = 8 << 20
"""Bytes of a row of a CSV; a quoted value may go over many lines."""
_EASY_COUNT = r"^[0-9]{1,18}(\.0*)?$"
_EXPONENT = re.compile(r"[0-9]{1,20}(?:\.[0-9]{0,20})?[eE]\+?[0-9]{1,2}", re.ASCII)
"""As R writes 100000: 1e+05."""
_SPOOLED = pa.schema(
    [
        ("at", pa.int64()),
        ("model", pa.string()),
        *((name, pa.int64()) for name in ("downloads_all_time", *OPTIONAL)),
    ]
)


class OwnFileError(ValueError):
    """A file that cannot be used at all. The message names it and what would be right."""


@dataclass
class WrongRow:
    """A row that was left out."""

    row: int
    """Number of the row, the first after the header being 1."""
    values: dict[str, Any]
    why: str


@dataclass
class Spooled:
    """The rows of a file, by month."""

    months: dict[int, Path] = field(default_factory=dict)
    """Files by months since year 0."""
    rows: int = 0
    models: set[str] = field(default_factory=set)
    first_ms: int | None = None
    last_ms: int | None = None
    wrong: list[WrongRow] = field(default_factory=list)


def spool(path: Path, folder: Path, *, now: datetime) -> Spooled:
    """Read a file and spool its rows into the folder, by month; wrong rows are kept aside.

    Raises `OwnFileError`.
    """
    spooled = Spooled()
    with ExitStack() as stack:
        writers: dict[int, Any] = {}
        row = 0
        for batch in _batches(path):
            try:
                table, wrong = _checked(batch, row, to_ms(now))
            except pa.ArrowException as error:
                rows = f"rows {row + 1} to {row + batch.num_rows}"
                raise OwnFileError(f"{path}, {rows}: cannot be read: {error}") from None
            row += batch.num_rows
            spooled.wrong += wrong
            _take_stock(spooled, table)
            for month, part in _by_month(table):
                if month not in writers:
                    spooled.months[month] = folder / f"{month}.arrow"
                    sink = stack.enter_context(pa.OSFile(str(spooled.months[month]), "wb"))
                    writers[month] = stack.enter_context(pa.ipc.new_file(sink, _SPOOLED))
                writers[month].write_table(part)
    if not row:
        raise OwnFileError(f"{path}: has no row below its header: there is nothing to publish")
    return spooled


def scrapes(spooled: Spooled, source: str, origin: str) -> Iterator[Scrape]:
    """Yield one scrape a moment, in the order of time.

    Of rows with one model and moment the greater counts stay, as everywhere.
    """
    for _, path in sorted(spooled.months.items()):
        with pa.memory_map(str(path)) as mapped:
            table = pa.ipc.open_file(mapped).read_all()
            for part in _portions(table):
                yield from _scrapes_of(part, source, origin)


def _batches(path: Path) -> Iterator[pa.Table]:
    if not path.is_file():
        raise OwnFileError(f"{path}: no such file")
    name = path.name.lower()
    try:
        if name.endswith(".parquet"):
            file = pq.ParquetFile(path)
            columns = _columns(path, file.schema_arrow.names)
            for batch in file.iter_batches(_BATCH_ROWS, columns=list(columns)):
                yield _renamed(batch, columns)
        elif name.endswith((".csv", ".csv.gz")):
            with _text(path) as stream:
                header = pa_csv.open_csv(stream, **_options([])).schema.names
            columns = _columns(path, header)
            with _text(path) as stream:
                for batch in pa_csv.open_csv(stream, **_options(list(columns))):
                    yield _renamed(batch, columns)
        else:
            raise OwnFileError(f"{path}: must end in .csv, .csv.gz or .parquet")
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        why = str(error)
        if "straddling object" in why:
            why = (
                f"a row is longer than {_LONGEST_ROW >> 20} MiB, or a quotation mark is not closed"
            )
        raise OwnFileError(f"{path}: cannot be read: {why}") from None


def _text(path: Path) -> Any:
    with pa.input_stream(str(path), compression="detect") as stream:
        if stream.read(2) in {BOM_UTF16_LE, BOM_UTF16_BE}:
            raise OwnFileError(f"{path}: is UTF-16: save it as UTF-8")
    return pa.input_stream(str(path), compression="detect")


def _options(columns: list[str]) -> dict[str, Any]:
    return {
        "read_options": pa_csv.ReadOptions(block_size=_LONGEST_ROW),
        "parse_options": pa_csv.ParseOptions(newlines_in_values=True),
        "convert_options": pa_csv.ConvertOptions(
            include_columns=columns,
            column_types=dict.fromkeys(columns, pa.string()),
            strings_can_be_null=True,
            null_values=list(MISSING),
        ),
    }


def _columns(path: Path, there: list[str]) -> dict[str, str]:
    """Return our columns by the file's names of them, which may be in any case."""
    known: dict[str, list[str]] = {}
    for column in there:
        known.setdefault(column.strip().lower(), []).append(column)
    lacking = [name for name in REQUIRED if name not in known]
    if lacking:
        raise OwnFileError(f"{path}: {_why_lacking(lacking, there)}")
    ours = {name: known[name] for name in (*REQUIRED, *OPTIONAL) if name in known}
    twice = [", ".join(columns) for columns in ours.values() if len(columns) > 1]
    if twice:
        raise OwnFileError(f"{path}: has a column more than once: {'; '.join(twice)}")
    return {columns[0]: name for name, columns in ours.items()}


def _why_lacking(lacking: list[str], there: list[str]) -> str:
    wanted = f"it needs {', '.join(REQUIRED)} and may have {', '.join(OPTIONAL)}"
    for delimiter, named in DELIMITERS.items():
        if len(there) == 1 and delimiter in there[0]:
            return f"its columns are separated by {named}: separate them by commas; {wanted}"
    return f"has no column {', '.join(lacking)}; {wanted}, got {', '.join(there)}"


def _renamed(batch: Any, columns: dict[str, str]) -> pa.Table:
    table = pa.Table.from_batches([batch])
    return table.rename_columns([columns[name] for name in table.column_names])


def _checked(batch: pa.Table, done: int, now_ms: int) -> tuple[pa.Table, list[WrongRow]]:
    """Return the usable rows, and the others with their reasons."""
    reasons: dict[int, str] = {}
    model = batch["model_id"].combine_chunks().cast(pa.string())
    wrong_ids = {text: why for text in pc.unique(model).to_pylist() if (why := _wrong_id(text))}
    if wrong_ids:
        for row in _rows_where(pc.is_in(model, pa.array(list(wrong_ids), pa.string()))):
            reasons[row] = wrong_ids[model[row].as_py()]
    at = _moments(batch["observed_at"], now_ms, reasons)
    columns: dict[str, Any] = {"at": at, "model": model}
    for name in ("downloads_all_time", *OPTIONAL):
        there = name in batch.column_names
        columns[name] = (
            _counts(name, batch[name], reasons) if there else pa.nulls(len(model), pa.int64())
        )
    table = pa.table(columns, schema=_SPOOLED)
    wrong = []
    for row, why in sorted(reasons.items()):
        values = {name: _shown(batch[name][row]) for name in batch.column_names}
        wrong.append(WrongRow(done + row + 1, values, why))
    if reasons:
        kept = pa.array([row not in reasons for row in range(len(model))])
        table = table.filter(kept)
    return table, wrong


def _shown(value: Any) -> str:
    try:
        return str(value.as_py())
    except (ValueError, OverflowError):  # a moment that Python has no object for
        return str(value.cast(pa.int64()))


def _wrong_id(text: str | None) -> str | None:
    if text is None:
        return "model_id: must be organisation/name, got None"
    try:
        model_id("model_id", text)
    except FieldError as error:
        return str(error)
    return None


def _moments(column: Any, now_ms: int, reasons: dict[int, str]) -> pa.Array:
    """Read moments; there are few different ones, so each is read once."""
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        column = column.cast(pa.string())
    encoded = column.combine_chunks().dictionary_encode()
    known: list[int | None] = []
    problems: list[str] = []
    for text in encoded.dictionary.to_pylist():
        moment, problem = _moment(text, now_ms)
        known.append(moment)
        problems.append(problem)
    read = pa.array(known, pa.int64()).take(encoded.indices)
    for row in _rows_where(pc.is_null(read)):
        index = encoded.indices[row].as_py()
        why = "is missing" if index is None else problems[index]
        reasons.setdefault(row, f"observed_at: {why}")
    return read


def _moment(text: str, now_ms: int) -> tuple[int | None, str]:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None, f"must be a moment such as 2026-08-22T11:00:00Z or a date, got {text!r}"
    if moment.tzinfo is None:
        if len(text) > len("2026-08-22"):
            return None, f"must have a time zone, as {text}Z"
        moment = moment.replace(tzinfo=UTC)
    milliseconds = to_ms(moment)
    if not 0 <= milliseconds <= now_ms:
        return None, f"must be from 1970 to now, got {text!r}"
    return milliseconds, ""


def _counts(name: str, column: Any, reasons: dict[int, str]) -> pa.Array:
    if pa.types.is_integer(column.type):
        texts = column.combine_chunks().cast(pa.string())
    elif pa.types.is_floating(column.type):
        # Columns with nulls are often floats; text of a float has an exponent when it is large.
        texts = pa.array([_float_text(value) for value in column.to_pylist()], pa.string())
    else:
        texts = column.combine_chunks().cast(pa.string())
    easy = pc.fill_null(pc.match_substring_regex(texts, _EASY_COUNT), False)
    digits = pc.if_else(easy, pc.replace_substring_regex(texts, r"\.0*$", ""), None)
    counts = digits.cast(pa.int64())
    hard = _rows_where(pc.and_(pc.is_valid(texts), pc.invert(easy)))
    if not hard:
        return counts
    values = counts.to_pylist()
    for row in hard:
        text = texts[row].as_py().strip()
        if re.fullmatch("0*[0-9]{1,19}", text, re.ASCII) and int(text[-19:]) <= MAX_COUNTER:
            values[row] = int(text[-19:])
        elif (count := _with_exponent(text)) is not None:
            values[row] = count
        elif text:
            reasons.setdefault(row, f"{name}: must be a whole number from 0 on, got {text[:80]!r}")
    return pa.array(values, pa.int64())


def _with_exponent(text: str) -> int | None:
    if not _EXPONENT.fullmatch(text):
        return None
    value = Decimal(text)
    return int(value) if value == value.to_integral_value() and value <= MAX_COUNTER else None


def _float_text(value: float | None) -> str | None:
    if value is None or value != value:  # noqa: PLR0124 - NaN is a null
        return None
    exact = value.is_integer() and abs(value) < 2**53
    # Beyond that a float is not the count it was: never one, though it may look like one.
    return str(int(value)) if exact else f"{value!r} as a float"


def _rows_where(mask: Any) -> list[int]:
    rows: list[int] = pc.indices_nonzero(mask).to_pylist()
    return rows


def _take_stock(spooled: Spooled, table: pa.Table) -> None:
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
    moments = table["at"].cast(pa.timestamp("ms"))
    months = pc.add(pc.multiply(pc.year(moments), 12), pc.month(moments))
    for month in pc.unique(months).to_pylist():
        yield month, table.filter(pc.equal(months, month))


def _portions(table: pa.Table) -> Iterable[pa.Table]:
    """Yield a month whole, or day by day when it is large."""
    if table.num_rows <= _MOST_ROWS_AT_ONCE:
        return [table]
    days = pc.divide(table["at"], DAY_MS)
    return (table.filter(pc.equal(days, day)) for day in sorted(pc.unique(days).to_pylist()))


def _scrapes_of(table: pa.Table, source: str, origin: str) -> Iterator[Scrape]:
    counters = ("downloads_all_time", *OPTIONAL)
    merged = table.group_by(["at", "model"]).aggregate([(name, "max") for name in counters])
    merged = merged.sort_by([("at", "ascending"), ("model", "ascending")])
    columns = [merged[name].to_pylist() for name in ("at", "model")]
    columns += [merged[f"{name}_max"].to_pylist() for name in counters]
    start = 0
    moments = columns[0]
    while start < len(moments):
        end = start
        while end < len(moments) and moments[end] == moments[start]:
            end += 1
        rows = zip(*(column[start:end] for column in columns[1:]), strict=True)
        yield Scrape(
            source,
            from_ms(moments[start]),
            {
                model: Counters.model_construct(
                    id=model, downloads_all_time=all_time, downloads_30d=days_30, likes=likes
                )
                for model, all_time, days_30, likes in rows
            },
            origin=origin,
        )
        start = end
