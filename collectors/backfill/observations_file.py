"""Reads a CSV or Parquet file of observations: its columns and batches of rows."""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

REQUIRED = ("model_id", "observed_at", "downloads_all_time")
OPTIONAL = ("downloads_30d", "likes", "created_at")
COUNTS = ("downloads_all_time", "downloads_30d", "likes")

MISSING = ("", "NA")
"""Values that are null: R writes NA for a missing one."""

DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}

_BATCH_ROWS = 200_000
_LONGEST_ROW = 8 << 20
"""Bytes of a CSV row; a quoted value may span many lines."""


class ObservationsFileError(ValueError):
    """An unusable file. The message names the file and what is expected."""


def read_batches(path: Path) -> Iterator[pa.Table]:
    """Yield the rows in batches, with canonical column names; raises `ObservationsFileError`."""
    if not path.is_file():
        raise ObservationsFileError(f"{path}: no such file")
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
            raise ObservationsFileError(f"{path}: must end in .csv, .csv.gz or .parquet")
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        reason = str(error)
        if "straddling object" in reason:
            reason = f"a row exceeds {_LONGEST_ROW >> 20} MiB, or a quote is not closed"
        raise ObservationsFileError(f"{path}: cannot be read: {reason}") from None


def _text(path: Path) -> Any:
    with pa.input_stream(str(path), compression="detect") as stream:
        if stream.read(2) in {BOM_UTF16_LE, BOM_UTF16_BE}:
            raise ObservationsFileError(f"{path}: is UTF-16: save it as UTF-8")
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


def _columns(path: Path, found: list[str]) -> dict[str, str]:
    """Return the canonical column names by the file's, which may be in any case."""
    known: dict[str, list[str]] = {}
    for column in found:
        known.setdefault(column.strip().lower(), []).append(column)
    absent = [name for name in REQUIRED if name not in known]
    if absent:
        raise ObservationsFileError(f"{path}: {_why_absent(absent, found)}")
    used = {name: known[name] for name in (*REQUIRED, *OPTIONAL) if name in known}
    repeated = [", ".join(columns) for columns in used.values() if len(columns) > 1]
    if repeated:
        raise ObservationsFileError(f"{path}: has a repeated column: {'; '.join(repeated)}")
    return {columns[0]: name for name, columns in used.items()}


def _why_absent(absent: list[str], found: list[str]) -> str:
    expected = f"required are {', '.join(REQUIRED)}, optional {', '.join(OPTIONAL)}"
    for delimiter, name in DELIMITERS.items():
        if len(found) == 1 and delimiter in found[0]:
            return f"its columns are separated by {name}: separate them by commas; {expected}"
    return f"has no column {', '.join(absent)}; {expected}, got {', '.join(found)}"


def _renamed(batch: Any, columns: dict[str, str]) -> pa.Table:
    table = pa.Table.from_batches([batch])
    return table.rename_columns([columns[name] for name in table.column_names])
