"""Validates the rows of a file of observations, a batch at a time."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from breakout.contract.events import MAX_COUNTER
from breakout.core.times import to_ms
from breakout.registry.fields import model_id
from breakout.registry.table import FieldError
from collectors.backfill.observations_file import COUNTS

_SIMPLE_COUNT = r"^[0-9]{1,18}(\.0*)?$"
_EXPONENT = re.compile(r"[0-9]{1,20}(?:\.[0-9]{0,20})?[eE]\+?[0-9]{1,2}", re.ASCII)
"""R writes 100000 as 1e+05."""
SPOOL_SCHEMA = pa.schema(
    [
        ("at", pa.int64()),
        ("model", pa.string()),
        *((name, pa.int64()) for name in COUNTS),
        ("created_at", pa.int64()),
    ]
)
"""Columns of valid rows; `at` and `created_at` are Unix times in milliseconds."""


@dataclass
class InvalidRow:
    """A row that was left out."""

    row: int
    """Number of the row; the first after the header is 1."""
    values: dict[str, Any]
    reason: str


def validate(batch: pa.Table, first_row: int, now_ms: int) -> tuple[pa.Table, list[InvalidRow]]:
    """Return the valid rows, and the others with their reasons.

    `first_row` is the number of the batch's first row.
    """
    reasons: dict[int, str] = {}
    model = batch["model_id"].combine_chunks().cast(pa.string())
    invalid_ids = {
        text: reason for text in pc.unique(model).to_pylist() if (reason := _why_invalid_id(text))
    }
    if invalid_ids:
        for row in _rows_where(pc.is_in(model, pa.array(list(invalid_ids), pa.string()))):
            reasons[row] = invalid_ids[model[row].as_py()]
    at = _times("observed_at", batch["observed_at"], now_ms, reasons)
    for row in _rows_where(pc.is_null(at)):
        reasons.setdefault(row, "observed_at: is missing")
    columns: dict[str, Any] = {"at": at, "model": model}
    nulls = pa.nulls(len(model), pa.int64())
    for name in COUNTS:
        present = name in batch.column_names
        columns[name] = _counts(name, batch[name], reasons) if present else nulls
    present = "created_at" in batch.column_names
    columns["created_at"] = (
        _times("created_at", batch["created_at"], now_ms, reasons) if present else nulls
    )
    table = pa.table(columns, schema=SPOOL_SCHEMA)
    invalid = []
    for row, reason in sorted(reasons.items()):
        values = {name: _shown(batch[name][row]) for name in batch.column_names}
        invalid.append(InvalidRow(first_row + row, values, reason))
    if reasons:
        valid = pa.array([row not in reasons for row in range(len(model))])
        table = table.filter(valid)
    return table, invalid


def _shown(value: Any) -> str:
    try:
        return str(value.as_py())
    except (ValueError, OverflowError):  # a time beyond the range of datetime
        return str(value.cast(pa.int64()))


def _why_invalid_id(text: str | None) -> str | None:
    if text is None:
        return "model_id: must be organisation/name, got None"
    try:
        model_id("model_id", text)
    except FieldError as error:
        return str(error)
    return None


def _times(name: str, column: Any, now_ms: int, reasons: dict[int, str]) -> pa.Array:
    """Parse times; there are few distinct ones, so each is parsed once."""
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        column = column.cast(pa.string())
    encoded = column.combine_chunks().dictionary_encode()
    parsed: list[int | None] = []
    problems: list[str] = []
    for text in encoded.dictionary.to_pylist():
        milliseconds, problem = _parse_time(text, now_ms)
        parsed.append(milliseconds)
        problems.append(problem)
    times = pa.array(parsed, pa.int64()).take(encoded.indices)
    for row in _rows_where(pc.and_(pc.is_null(times), pc.is_valid(encoded.indices))):
        if problem := problems[encoded.indices[row].as_py()]:
            reasons.setdefault(row, f"{name}: {problem}")
    return times


def _parse_time(text: Any, now_ms: int) -> tuple[int | None, str]:
    """Return a time, or None and the problem; blank text is null, without a problem."""
    if text is None or (isinstance(text, str) and not text.strip()):
        return None, ""
    try:
        time = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None, f"must be a time such as 2026-08-22T11:00:00Z or a date, got {text!r}"
    if time.tzinfo is None:
        if len(text) > len("2026-08-22"):
            return None, f"must have a time zone, such as {text}Z"
        time = time.replace(tzinfo=UTC)
    milliseconds = to_ms(time)
    if not 0 <= milliseconds <= now_ms:
        return None, f"must be between 1970 and now, got {text!r}"
    return milliseconds, ""


def _counts(name: str, column: Any, reasons: dict[int, str]) -> pa.Array:
    if pa.types.is_integer(column.type):
        texts = column.combine_chunks().cast(pa.string())
    elif pa.types.is_floating(column.type):
        # Columns with nulls are often floats; a large float has an exponent as text.
        texts = pa.array([_float_text(value) for value in column.to_pylist()], pa.string())
    else:
        texts = column.combine_chunks().cast(pa.string())
    simple = pc.fill_null(pc.match_substring_regex(texts, _SIMPLE_COUNT), False)
    digits = pc.if_else(simple, pc.replace_substring_regex(texts, r"\.0*$", ""), None)
    counts = digits.cast(pa.int64())
    others = _rows_where(pc.and_(pc.is_valid(texts), pc.invert(simple)))
    if not others:
        return counts
    values = counts.to_pylist()
    for row in others:
        text = texts[row].as_py().strip()
        if re.fullmatch("0*[0-9]{1,19}", text, re.ASCII) and int(text[-19:]) <= MAX_COUNTER:
            values[row] = int(text[-19:])
        elif (count := _with_exponent(text)) is not None:
            values[row] = count
        elif text:
            reasons.setdefault(row, f"{name}: must be an integer from 0, got {text[:80]!r}")
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
    # A larger float may not be the original count: it is rejected, even if it looks like one.
    return str(int(value)) if exact else f"{value!r} as a float"


def _rows_where(mask: Any) -> list[int]:
    rows: list[int] = pc.indices_nonzero(mask).to_pylist()
    return rows
