"""Keyset pagination: rows have a total order, and a cursor is the key of a page's last row.

Rows that are added or removed between two pages neither repeat nor hide other rows, as they would
with an offset.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from api.parameters import parse_timestamp
from api.problems import parameter_problem

LIMIT = "LIMIT {page_rows:UInt64}"
"""How a page ends."""
_FORMULA = "^[=+\\\\-@\\\\t\\\\r\\\\n\uff1d\uff0b\uff0d\uff20]"
"""How a formula begins, fullwidth characters too (OWASP: CSV injection); escaped for SQL."""


@dataclass(frozen=True)
class Key:
    """One part of the order: an expression over the columns, ascending, never null."""

    sql: str
    type: str
    """ClickHouse type of the expression."""
    of_row: Callable[[Mapping[str, Any]], str]
    """The expression's value for a row of JSON, as text that ClickHouse parses."""


def text(column: str) -> Key:
    """Order by a column of texts or days, ascending."""
    return Key(f"toString({column})", "String", lambda row: str(row[column]))


def number(column: str) -> Key:
    """Order by a column of integers, ascending."""
    return Key(f"toInt64({column})", "Int64", lambda row: str(row[column]))


def greatest(column: str) -> Key:
    """Order by a column of non-negative numbers, descending, null last."""

    def of_row(row: Mapping[str, Any]) -> str:
        return repr(-float(-1 if row[column] is None else row[column]))

    return Key(f"-toFloat64(ifNull({column}, -1))", "Float64", of_row)


def latest(column: str) -> Key:
    """Order by a column of timestamps, descending."""

    def of_row(row: Mapping[str, Any]) -> str:
        return str(-round(datetime.fromisoformat(row[column]).timestamp() * 1000))

    return Key(f"-toUnixTimestamp64Milli({column})", "Int64", of_row)


def latest_day(column: str) -> Key:
    """Order by a column of days, descending."""

    def of_row(row: Mapping[str, Any]) -> str:
        return str(-(datetime.fromisoformat(row[column]).date().toordinal() - 719_163))

    return Key(f"-toInt64(toUInt16({column}))", "Int64", of_row)


def page(sql: str, keys: Sequence[Key], *, after: bool, limited: bool) -> str:
    """Return the query of one page: rows `after` a key; with `limited`, up to `page_rows`."""
    order = ", ".join(key.sql for key in keys)
    last_key = ", ".join(f"{{after_{n}:{key.type}}}" for n, key in enumerate(keys))
    where = f"WHERE ({order}) > ({last_key})\n" if after else ""
    limit = f"\n{LIMIT}" if limited else ""
    return f"SELECT * FROM\n(\n{sql}\n)\n{where}ORDER BY {order}{limit}"


def escape(sql: str, columns: Sequence[str]) -> str:
    """Return a query that puts an apostrophe before texts that spreadsheets read as formulas."""
    escaped = ", ".join(
        f"if(match({name}, '{_FORMULA}'), concat('\\'', {name}), {name}) AS {name}"
        for name in columns
    )
    return f"SELECT * REPLACE ({escaped}) FROM\n(\n{sql}\n)"


def digest(sql: str) -> str:
    """Return a query that computes a checksum of another query's rows."""
    # As a tuple: a null among separate arguments would make the hash null.
    return f"SELECT count() AS rows, sum(sipHash64(tuple(*))) AS digest FROM\n(\n{sql}\n)"


def cursor_of(row: Mapping[str, Any], keys: Sequence[Key], as_of: str | None) -> str:
    """Return the cursor after a row. It contains `as_of`, so all pages have one timestamp."""
    content = json.dumps([as_of, *(key.of_row(row) for key in keys)], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def read_cursor(cursor: str, keys: Sequence[Key]) -> tuple[str | None, dict[str, str]]:
    """Return `as_of` and the query values of a cursor. Raises a 422 problem if it is invalid."""
    try:
        content = json.loads(
            base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        )
        if not isinstance(content, list) or len(content) != len(keys) + 1:
            raise ValueError
        as_of, *values = content
        if as_of is not None and parse_timestamp(as_of) != as_of:
            raise ValueError
        for key, value in zip(keys, values, strict=True):
            _check(key.type, value)
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError):
        raise parameter_problem(
            "cursor", "invalid for this operation: use `next` of the previous page"
        ) from None
    return as_of, {f"after_{n}": value for n, value in enumerate(values)}


def _check(kind: str, value: object) -> None:
    """Raise `ValueError` for a value that `of_row` cannot return."""
    if not isinstance(value, str):
        raise ValueError
    # JSON allows lone surrogates, UTF-8 does not.
    value.encode()
    if kind == "Int64" and not (str(int(value)) == value and -(2**63) <= int(value) < 2**63):
        raise ValueError
    if kind == "Float64" and not (repr(float(value)) == value and isfinite(float(value))):
        raise ValueError
