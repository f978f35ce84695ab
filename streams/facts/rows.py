"""Rows of ClickHouse's tables that the facts processor writes, as Arrow tables."""

import json
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from breakout.contract import InferenceDay, LeaderboardSlice, NameRecord
from breakout.core.times import to_ms
from streams.arrow import COUNT, DATE, TEXT, TIMESTAMP, table_of

_CHECKSUM_BITS = 22
"""Bits left of 64 beside milliseconds until the year 2109."""

_NAMES = {
    "source": TEXT,
    "name": TEXT,
    "title": TEXT,
    "vendor": TEXT,
    "open": pa.bool_(),
    "model_id": TEXT,
    "org": TEXT,
    "hint": TEXT,
    "observed_at": TIMESTAMP,
    "version": COUNT,
}
_INFERENCE = {
    "source": TEXT,
    "day": DATE,
    "as_of": TIMESTAMP,
    "slug": TEXT,
    "tokens": COUNT,
    "version": COUNT,
}
_RATINGS = {
    "source": TEXT,
    "board": TEXT,
    "index_version": TEXT,
    "published_on": DATE,
    "name": TEXT,
    "rating": pa.float64(),
    "lower": pa.float64(),
    "upper": pa.float64(),
    "votes": COUNT,
    "observed_at": TIMESTAMP,
    "version": COUNT,
}


def names(records: Sequence[NameRecord]) -> pa.Table:
    """Return rows of `names_log`."""
    rows = []
    for name in records:
        facts = (name.title, name.vendor, name.open, name.model_id, name.org, name.hint)
        version = _version(name.observed_at, facts)
        rows.append((name.source, name.name, *facts, name.observed_at, version))
    return table_of(_NAMES, rows)


def inference(days: Sequence[InferenceDay]) -> pa.Table:
    """Return rows of `inference_log`; all rows of a reading have its version."""
    rows: list[tuple[Any, ...]] = []
    for day in days:
        counts = sorted(zip(day.names, day.tokens, strict=True))
        version = _version(day.observed_at, counts)
        rows += ((day.source, day.day, day.as_of, *count, version) for count in counts)
    return table_of(_INFERENCE, rows)


def ratings(boards: Sequence[LeaderboardSlice]) -> pa.Table:
    """Return rows of `ratings_log`; all rows of a reading have its version."""
    rows: list[tuple[Any, ...]] = []
    for board in boards:
        key = (board.source, board.board, board.version, board.published_on)
        columns = (board.names, board.rating, board.lower, board.upper, board.votes)
        rated = sorted(zip(*columns, strict=True), key=lambda row: row[0])
        version = _version(board.observed_at, rated)
        rows += ((*key, *row, board.observed_at, version) for row in rated)
    return table_of(_RATINGS, rows)


def _version(observed_at: datetime, facts: Sequence[Any]) -> int:
    """Return the version of a reading: the newest wins, of equally new ones the greater checksum.

    So the order of two readings does not matter.
    """
    checksum = zlib.crc32(json.dumps(facts).encode()) & ((1 << _CHECKSUM_BITS) - 1)
    return to_ms(observed_at) << _CHECKSUM_BITS | checksum
