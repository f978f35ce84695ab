"""Loads the state of the downloads processor, and rows around late observations."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Literal, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from breakout.core.arrays import Int
from streams.arrow import day_start_ms, int_column, iter_rows
from streams.clickhouse import WorkerClickHouse
from streams.columns import Columns
from streams.downloads.state import (
    RAM_SOURCE,
    Cleaned,
    History,
    Late,
    RamInputs,
    Scrape,
    ScrapeCount,
    State,
)

ItemT = TypeVar("ItemT")

_EDGES: tuple[Literal["left"], Literal["right"]] = ("left", "right")

MAX_SERIES = 1_000
"""Series in one query: keeps its text far below ClickHouse's limit."""

MAX_MODELS = 100
"""Models whose complete history one query reads: bounds the memory of its result."""


class StateBehindError(Exception):
    """Another worker wrote rows after this partition's state was loaded: load it again."""

    def __init__(self, partition: int) -> None:
        super().__init__(f"the state of partition {partition} is older than its rows in ClickHouse")
        self.partition = partition


def load_partitions(
    clickhouse: WorkerClickHouse, numbers: Sequence[int], partitions: int
) -> dict[int, State]:
    """Return the states of partitions of `breakout.downloads`, as stored in ClickHouse."""
    states = {number: State() for number in numbers}
    where = {"numbers": list(numbers), "partitions": partitions}
    series = clickhouse.query(
        """
        SELECT
            modulo(CRC32(model_id), %(partitions)s) AS partition,
            toString(source) AS source, toString(model_id) AS model_id,
            latest_at, counted.1 AS at, counted.2 AS raw, counted.3 AS cumulative, version
        FROM
        (
            SELECT
                source, model_id,
                toUnixTimestamp64Milli(max(observed_at)) AS latest_at,
                argMax(
                    (
                        if(d.cumulative IS NULL, -1, toUnixTimestamp64Milli(observed_at)),
                        toInt64(ifNull(downloads_all_time, -1)), toInt64(ifNull(d.cumulative, -1))
                    ),
                    (d.cumulative IS NOT NULL, observed_at, d.version)
                ) AS counted,
                max(d.version) AS version
            FROM downloads_log AS d
            WHERE modulo(CRC32(model_id), %(partitions)s) IN %(numbers)s
            GROUP BY model_id, source
        )
        -- The table is in the order of what is grouped by: a third of the time.
        SETTINGS optimize_aggregation_in_order = 1
        """,
        where,
    )
    owner = int_column(series, "partition")
    sources = np.array(series["source"].to_pylist(), dtype=object)
    models = np.array(series["model_id"].to_pylist(), dtype=object)
    columns = [int_column(series, name) for name in ("latest_at", "at", "raw", "cumulative")]
    versions = int_column(series, "version")
    for number, state in states.items():
        for source in sorted(set(sources[owner == number])):
            rows = np.flatnonzero((owner == number) & (sources == source))
            state.restore(source, models[rows].tolist(), *(column[rows] for column in columns))
        state.version = int(versions[owner == number].max(initial=0))
    registry = clickhouse.query(
        """
        SELECT
            modulo(CRC32(model_id), %(partitions)s) AS partition, model_id,
            toUnixTimestamp64Milli(observed_at) AS read_at,
            toString(size_bin), released_at, tracked
        FROM models_log FINAL
        WHERE partition IN %(numbers)s
        """,
        where,
    )
    for partition, model_id, read_at, size_bin, released_at, tracked in iter_rows(registry):
        day0 = None if released_at is None else day_start_ms(released_at)
        states[partition].restore_model(model_id, read_at, RamInputs(size_bin, day0, tracked))
    return states


_HISTORY_COLUMNS = """
    toString(d.source) AS source, toString(d.model_id) AS model_id, toString(d.origin) AS origin,
    toUnixTimestamp64Milli(d.observed_at) AS at,
    toInt64(ifNull(d.downloads_all_time, -1)) AS raw,
    toInt64(ifNull(d.downloads_30d, -1)) AS downloads_30d,
    toInt64(ifNull(d.likes, -1)) AS likes,
    toInt64(ifNull(d.cumulative, -1)) AS cumulative,
    toInt64(ifNull(d.delta, -1)) AS delta,
    toInt64(ifNull(d.revision, -1)) AS revision,
    toInt8(ifNull(d.standing, -1)) AS standing,
    toUInt8(d.jump) AS jump, d.version AS version
"""

_HISTORY_FROM = """
    FROM downloads_log AS d FINAL
    INNER JOIN
    (
        SELECT t.1 AS source, t.2 AS model_id, t.3 AS first_at, t.4 AS last_at, t.5 AS highest
        FROM
        (
            SELECT arrayJoin(arrayZip(
                %(sources)s, %(models)s, %(first_at)s, %(last_at)s, %(highest)s
            )) AS t
        )
    ) AS late ON late.model_id = d.model_id AND late.source = d.source
    WHERE d.model_id IN %(models)s
"""

# The rows that a late observation can change: those at its time, the one before and the one after,
# and all later rows whose cumulative it may raise, up to the first that it cannot.
_HISTORY = (
    f"""SELECT {_HISTORY_COLUMNS} {_HISTORY_FROM}
    AND toUnixTimestamp64Milli(d.observed_at) >= late.first_at
    AND (toUnixTimestamp64Milli(d.observed_at) <= late.last_at OR d.cumulative < late.highest)""",
    f"""SELECT {_HISTORY_COLUMNS} {_HISTORY_FROM}
    AND toUnixTimestamp64Milli(d.observed_at) < late.first_at AND d.cumulative IS NOT NULL
    ORDER BY d.model_id, d.source, d.observed_at DESC LIMIT 1 BY d.model_id, d.source""",
    f"""SELECT {_HISTORY_COLUMNS} {_HISTORY_FROM}
    AND toUnixTimestamp64Milli(d.observed_at) > late.last_at AND d.cumulative >= late.highest
    ORDER BY d.model_id, d.source, d.observed_at LIMIT 1 BY d.model_id, d.source""",
)


def load_history(
    clickhouse: WorkerClickHouse, number: int, state: State, late: Sequence[Late]
) -> History | None:
    """Return the rows around late observations; None when nothing is late.

    Raises `StateBehindError` if one of the rows has a greater version than the state.
    """
    if not late:
        return None
    tables: list[pa.Table] = []
    for chunk in chunked(late, MAX_SERIES):
        parameters = {
            "sources": [one.source for one in chunk],
            "models": [one.model_id for one in chunk],
            "first_at": [one.first_at for one in chunk],
            "last_at": [one.last_at for one in chunk],
            "highest": [one.highest for one in chunk],
        }
        tables.extend(clickhouse.query(sql, parameters) for sql in _HISTORY)
    rows = pa.concat_tables(tables)
    _check_not_behind(number, state, rows)
    slots = [
        state.slot(source, model_id)
        for source, model_id in zip(
            rows["source"].to_pylist(), rows["model_id"].to_pylist(), strict=True
        )
    ]
    origins = [state.origin(name) for name in rows["origin"].to_pylist()]
    return History(
        Columns(
            np.array(slots, dtype=np.int64),
            int_column(rows, "at"),
            int_column(rows, "raw"),
            int_column(rows, "downloads_30d"),
            int_column(rows, "likes"),
            np.array(origins, dtype=np.int64),
        ),
        Cleaned(
            int_column(rows, "cumulative"),
            int_column(rows, "delta"),
            int_column(rows, "revision"),
            int_column(rows, "standing").astype(np.int8),
            int_column(rows, "jump").astype(bool),
        ),
    )


def _check_not_behind(number: int, state: State, rows: pa.Table) -> None:
    if (pc.max(rows["version"]).as_py() or 0) > state.version:
        raise StateBehindError(number)


def load_scrapes(
    clickhouse: WorkerClickHouse,
    scrapes: Sequence[Scrape],
    number: int,
    state: State,
    partitions: int,
) -> dict[Scrape, ScrapeCount]:
    """Return a partition's counts of scrapes, zero for new scrapes.

    Raises `StateBehindError` if one of the rows has a greater version than the state.
    """
    counts = {scrape: ScrapeCount() for scrape in scrapes}
    for source, group in groupby(sorted(scrapes), key=lambda scrape: scrape[0]):
        for times in chunked([at for _, at in group], MAX_SERIES):
            where = {
                "source": source,
                "times": list(times),
                "first": min(times),
                "last": max(times),
                "number": number,
                "partitions": partitions,
            }
            observations = clickhouse.query(
                """
                SELECT
                    toUnixTimestamp64Milli(observed_at) AS at, count() AS models,
                    countIf(standing IS NOT NULL) AS compared, countIf(standing) AS still,
                    max(version) AS version
                FROM downloads_log FINAL
                WHERE source = %(source)s
                    AND observed_at >= fromUnixTimestamp64Milli(%(first)s, 'UTC')
                    AND observed_at <= fromUnixTimestamp64Milli(%(last)s, 'UTC')
                    AND toUnixTimestamp64Milli(observed_at) IN %(times)s
                    AND modulo(CRC32(model_id), %(partitions)s) = %(number)s
                GROUP BY at
                """,
                where,
            )
            _check_not_behind(number, state, observations)
            for at, models, compared, standing, _version in iter_rows(observations):
                count = counts[source, at]
                count.models, count.compared, count.standing = models, compared, standing
            complete = clickhouse.query(
                """
                SELECT toUnixTimestamp64Milli(observed_at) AS at, complete
                FROM scrapes_log FINAL
                WHERE source = %(source)s AND partition = %(number)s
                    AND toUnixTimestamp64Milli(observed_at) IN %(times)s
                """,
                where,
            )
            for at, is_complete in iter_rows(complete):
                counts[source, at].complete = bool(is_complete)
    return counts


def load_cumulative(
    clickhouse: WorkerClickHouse, model_ids: Sequence[str]
) -> list[tuple[str, Int, Int]]:
    """Return each model's observations for RAM: id, times (ms UTC), cumulative downloads."""
    rows = clickhouse.query(
        """
        SELECT
            toString(model_id) AS model, toUnixTimestamp64Milli(observed_at) AS at,
            toInt64(assumeNotNull(cumulative)) AS total
        FROM downloads_log FINAL
        WHERE source = %(source)s AND model_id IN %(models)s AND cumulative IS NOT NULL
        ORDER BY model, at
        """,
        {"source": RAM_SOURCE, "models": list(model_ids)},
    )
    models = np.array(rows["model"].to_pylist(), dtype=object)
    at, total = int_column(rows, "at"), int_column(rows, "total")
    series = []
    for model_id in model_ids:
        low, high = (int(np.searchsorted(models, model_id, side)) for side in _EDGES)
        series.append((model_id, at[low:high], total[low:high]))
    return series


def chunked(items: Sequence[ItemT], size: int) -> Iterator[Sequence[ItemT]]:
    """Yield consecutive parts of at most `size` items."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
