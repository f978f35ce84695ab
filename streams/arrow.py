"""Columns of moments, days and counts as Arrow has them, and how query results are read."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from breakout.contract.times import day_ms
from breakout.core.ages import DAY_MS
from breakout.core.series import NULL
from streams.columns import Int

MOMENT = pa.timestamp("ms", tz="UTC")


def moments(column: Iterable[int | None] | Int) -> pa.Array:
    """Return milliseconds since 1970, UTC, as moments; None as null."""
    return pa.array(column, type=pa.int64()).cast(MOMENT)


def days(column: Iterable[date]) -> pa.Array:
    """Return UTC days."""
    return pa.array([day_ms(day) // DAY_MS for day in column], pa.int32()).cast(pa.date32())


def counts(column: Int) -> pa.Array:
    """Return counts as unsigned integers; NULL as null."""
    return pa.array(column.view(np.uint64), mask=column == NULL)


def rows_of(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query's result."""
    return zip(*(column.to_pylist() for column in table.columns), strict=True)


def int_column(table: pa.Table, name: str) -> NDArray[np.int64]:
    """Return a column of integers without nulls."""
    values = table[name].to_numpy()
    return np.asarray(values, dtype=np.int64)


def day_start_ms(day: Any) -> int:
    """Return the start of a UTC day, which ClickHouse gives as a date or as days since 1970."""
    return day * DAY_MS if isinstance(day, int) else day_ms(day)
