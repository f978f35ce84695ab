"""Rows for ClickHouse of what other sources say, one function a table of sql/."""

import json
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from breakout.contract import InferenceDay, LeaderboardSlice, NameRecord
from breakout.contract.times import to_ms
from streams.arrow import days as day_column
from streams.arrow import moments

_CHECKSUM_BITS = 22
"""What is left of 64 bits beside milliseconds until the year 2109."""


def _version(observed_at: datetime, row: Sequence[Any]) -> int:
    """Return the newest-wins version of a row; for one moment, what it says decides.

    So it does not matter which of two rows comes first.
    """
    checksum = zlib.crc32(json.dumps(row).encode()) & ((1 << _CHECKSUM_BITS) - 1)
    return to_ms(observed_at) << _CHECKSUM_BITS | checksum


def names(records: Sequence[NameRecord]) -> pa.Table:
    """Return rows of `names_log`."""
    columns = ("title", "vendor", "open", "model_id", "org", "hint")
    return pa.table(
        {
            "source": pa.array([one.source for one in records], pa.string()),
            "name": pa.array([one.name for one in records], pa.string()),
            **{
                column: pa.array(
                    [getattr(one, column) for one in records],
                    pa.bool_() if column == "open" else pa.string(),
                )
                for column in columns
            },
            "observed_at": moments([to_ms(one.observed_at) for one in records]),
            "version": pa.array(
                [
                    _version(one.observed_at, [getattr(one, column) for column in columns])
                    for one in records
                ],
                pa.uint64(),
            ),
        }
    )


def inference(days: Sequence[InferenceDay]) -> pa.Table:
    """Return rows of `inference_log`."""
    rows = [
        (one, name, tokens)
        for one in days
        for name, tokens in zip(one.names, one.tokens, strict=True)
    ]
    return pa.table(
        {
            "source": pa.array([one.source for one, _, _ in rows], pa.string()),
            "day": day_column([one.day for one, _, _ in rows]),
            "as_of": moments([to_ms(one.as_of) for one, _, _ in rows]),
            "slug": pa.array([name for _, name, _ in rows], pa.string()),
            "tokens": pa.array([tokens for _, _, tokens in rows], pa.uint64()),
        }
    )


def scores(boards: Sequence[LeaderboardSlice]) -> pa.Table:
    """Return rows of `ratings_log`."""
    rows = [
        (one, *row)
        for one in boards
        for row in zip(one.names, one.rating, one.lower, one.upper, one.votes, strict=True)
    ]
    said = list(zip(*rows, strict=True)) if rows else [()] * 6
    return pa.table(
        {
            "source": pa.array([row[0].source for row in rows], pa.string()),
            "board": pa.array([row[0].board for row in rows], pa.string()),
            "index_version": pa.array([row[0].version for row in rows], pa.string()),
            "published_on": day_column([row[0].published_on for row in rows]),
            "name": pa.array(said[1], pa.string()),
            "rating": pa.array(said[2], pa.float64()),
            "lower": pa.array(said[3], pa.float64()),
            "upper": pa.array(said[4], pa.float64()),
            "votes": pa.array(said[5], pa.uint64()),
            "observed_at": moments([to_ms(row[0].observed_at) for row in rows]),
            "version": pa.array(
                [_version(row[0].observed_at, row[2:]) for row in rows], pa.uint64()
            ),
        }
    )
