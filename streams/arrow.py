"""Columns of moments and days as Arrow has them."""

from collections.abc import Iterable
from datetime import date

import pyarrow as pa

from breakout.contract.times import day_ms
from streams.columns import Int

MOMENT = pa.timestamp("ms", tz="UTC")

_DAY_MS = 86_400_000


def moments(column: Iterable[int | None] | Int) -> pa.Array:
    """Return milliseconds since 1970, UTC, as moments; None as null."""
    return pa.array(column, type=pa.int64()).cast(MOMENT)


def days(column: Iterable[date]) -> pa.Array:
    """Return UTC days."""
    return pa.array([day_ms(day) // _DAY_MS for day in column], pa.int32()).cast(pa.date32())
