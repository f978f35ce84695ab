"""Arrow tables and columns of rows to write, and how query results are read."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from breakout.core.arrays import NULL, Int
from breakout.core.times import DAY_MS, day_ms

TEXT, TEXTS = pa.string(), pa.list_(pa.string())
TIMESTAMP = pa.timestamp("ms", tz="UTC")
"""Its values are datetimes, or milliseconds since 1970, UTC."""
DATE = pa.date32()
"""Its values are dates, or days since 1970."""
COUNT = pa.uint64()


def table_of(schema: Mapping[str, pa.DataType], rows: Iterable[Iterable[Any]]) -> pa.Table:
    """Return rows, each with a value per column of the schema, as a table."""
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table(
        {
            name: pa.array(column, kind)
            for (name, kind), column in zip(schema.items(), columns, strict=True)
        }
    )


def timestamps(column: Int) -> pa.Array:
    """Return milliseconds since 1970, UTC, as timestamps."""
    return pa.array(column, type=pa.int64()).cast(TIMESTAMP)


def unsigned(column: Int) -> pa.Array:
    """Return counts as unsigned integers; `NULL` as null."""
    return pa.array(column.view(np.uint64), mask=column == NULL)


def iter_rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query's result."""
    return zip(*(column.to_pylist() for column in table.columns), strict=True)


def int_column(table: pa.Table, name: str) -> NDArray[np.int64]:
    """Return a column of integers without nulls."""
    values = table[name].to_numpy()
    return np.asarray(values, dtype=np.int64)


def day_start_ms(day: Any) -> int:
    """Return the start of a UTC day; ClickHouse returns a date or days since 1970."""
    return day * DAY_MS if isinstance(day, int) else day_ms(day)
