"""Keyset pagination: rows have a total order, and a cursor is the key of the last one seen.

A page begins behind a key, not at a number of rows, so that rows which come or go meanwhile
neither repeat nor hide others.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from api.parameters import moment_as_written
from api.problems import ProblemError

_FORMULA = "^[=+\\\\-@\\\\t\\\\r\\\\n\uff1d\uff0b\uff0d\uff20]"
"""How a formula begins, wide characters too (OWASP: CSV injection), in a string of ClickHouse's."""


@dataclass(frozen=True)
class Key:
    """One part of the order: an expression over the columns, ascending, never null."""

    sql: str
    type: str
    """ClickHouse type of the expression."""
    of_row: Callable[[Mapping[str, Any]], str]
    """The expression's value for a row of JSON, as ClickHouse reads it."""


def text(column: str) -> Key:
    """Return the order of a column of texts or days, A first."""
    return Key(f"toString({column})", "String", lambda row: str(row[column]))


def number(column: str) -> Key:
    """Return the order of a column of whole numbers, the smallest first."""
    return Key(f"toInt64({column})", "Int64", lambda row: str(row[column]))


def greatest(column: str) -> Key:
    """Return the order of a column of numbers from 0 on, the greatest first, null last."""

    def of_row(row: Mapping[str, Any]) -> str:
        return repr(-float(-1 if row[column] is None else row[column]))

    return Key(f"-toFloat64(ifNull({column}, -1))", "Float64", of_row)


def latest(column: str) -> Key:
    """Return the order of a column of moments, the latest first."""

    def of_row(row: Mapping[str, Any]) -> str:
        moment = datetime.fromisoformat(row[column])
        return str(-round(moment.timestamp() * 1000))

    return Key(f"-toUnixTimestamp64Milli({column})", "Int64", of_row)


def latest_day(column: str) -> Key:
    """Return the order of a column of days, the latest first."""

    def of_row(row: Mapping[str, Any]) -> str:
        return str(-(datetime.fromisoformat(row[column]).date().toordinal() - 719_163))

    return Key(f"-toInt64(toUInt16({column}))", "Int64", of_row)


def page(sql: str, keys: Sequence[Key], *, after: bool, limited: bool) -> str:
    """Return the query of one page: `after` a key, and with `limited` of `page_rows` rows."""
    order = ", ".join(key.sql for key in keys)
    behind = ", ".join(f"{{after_{n}:{key.type}}}" for n, key in enumerate(keys))
    where = f"WHERE ({order}) > ({behind})\n" if after else ""
    limit = "\nLIMIT {page_rows:UInt64}" if limited else ""
    return f"SELECT * FROM\n(\n{sql}\n)\n{where}ORDER BY {order}{limit}"


def escaped(sql: str, columns: Sequence[str]) -> str:
    """Return a query with an apostrophe before texts that a spreadsheet takes for formulas."""
    marked = ", ".join(
        f"if(match({name}, '{_FORMULA}'), concat('\\'', {name}), {name}) AS {name}"
        for name in columns
    )
    return f"SELECT * REPLACE ({marked}) FROM\n(\n{sql}\n)"


def digest(sql: str) -> str:
    """Return the query of a checksum over the rows of another."""
    # A tuple is hashed with its nulls; hashed apart they would make the whole null.
    return f"SELECT count() AS rows, sum(sipHash64(tuple(*))) AS digest FROM\n(\n{sql}\n)"


def cursor_of(row: Mapping[str, Any], keys: Sequence[Key], as_of: str | None) -> str:
    """Return the cursor behind a row; it keeps the moment, so all pages are of one."""
    content = json.dumps([as_of, *(key.of_row(row) for key in keys)], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def read_cursor(cursor: str, keys: Sequence[Key]) -> tuple[str | None, dict[str, str]]:
    """Return the moment and the parameters of a cursor. Raises a 422 problem for a wrong one."""
    try:
        content = json.loads(
            base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        )
        if not isinstance(content, list) or len(content) != len(keys) + 1:
            raise ValueError
        as_of, *values = content
        if as_of is not None and moment_as_written(as_of) != as_of:
            raise ValueError
        for key, value in zip(keys, values, strict=True):
            _check(key.type, value)
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError):
        said = "is none of this operation: take `next` of the page before"
        raise ProblemError(422, f"cursor: {said}", errors={"cursor": said}) from None
    return as_of, {f"after_{n}": value for n, value in enumerate(values)}


def _check(kind: str, value: object) -> None:
    """Raise `ValueError` for what `of_row` would not have written."""
    if not isinstance(value, str):
        raise ValueError
    # Lone surrogates are text to JSON alone.
    value.encode()
    if kind == "Int64" and not (str(int(value)) == value and -(2**63) <= int(value) < 2**63):
        raise ValueError
    if kind == "Float64" and not (repr(float(value)) == value and isfinite(float(value))):
        raise ValueError
