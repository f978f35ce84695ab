"""Environment of a peer: servers and topic, and the table it writes."""

import os
from collections.abc import Sequence
from datetime import datetime

import clickhouse_connect
from clickhouse_connect.driver.client import Client

BROKERS = os.environ.get("BENCH_BROKERS", "")
TOPIC = os.environ.get("BENCH_TOPIC", "")
SLICES = os.environ.get("BENCH_FORM") == "slices"
DIRECTORY = os.environ.get("BENCH_DIRECTORY", "")
"""Folder for state."""
COLUMNS = ("model_id", "observed_at", "downloads_all_time", "cumulative", "delta")

Row = tuple[str, datetime, int, int, int | None]
"""One observation with its clean series, in the order of `COLUMNS`."""


def client() -> Client:
    """Return a client of the ClickHouse that the rows go to."""
    return clickhouse_connect.get_client(
        host="127.0.0.1", port=int(os.environ["BENCH_CLICKHOUSE_PORT"]), database="bench"
    )


def insert(to: Client, rows: Sequence[Row]) -> None:
    """Insert rows; returns once ClickHouse has confirmed them."""
    if rows:
        to.insert("series", rows, column_names=COLUMNS)


def clean(highest: int | None, total: int) -> tuple[int, int | None]:
    """Return the running maximum with a new counter, and how much it grew (None for the first)."""
    if highest is None:
        return total, None
    return max(highest, total), max(total - highest, 0)
