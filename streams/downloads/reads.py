"""Loads the state of the downloads processor, and stored observations of series."""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np

from breakout.core.arrays import NULL, Int
from breakout.core.counters import ROLLBACK_MS
from breakout.core.times import DAY_MS
from streams.arrow import day_start_ms, int_column, iter_rows
from streams.clickhouse import WorkerClickHouse
from streams.columns import Columns
from streams.downloads.history import Spans
from streams.downloads.registry import RamInputs
from streams.downloads.state import State


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
    series = clickhouse.query(_SERIES, where)
    owner = int_column(series, "partition")
    sources = np.array(series["source"].to_pylist(), dtype=object)
    models = np.array(series["model_id"].to_pylist(), dtype=object)
    columns = {name: int_column(series, name) for name in series.column_names[3:]}
    for number, state in states.items():
        for source in sorted(set(sources[owner == number])):
            rows = np.flatnonzero((owner == number) & (sources == source))
            slots = state.add_series(source, models[rows].tolist())
            restore(state, slots, {name: column[rows] for name, column in columns.items()})
        state.version = int(columns["version"][owner == number].max(initial=0))
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
        states[partition].registry.restore(model_id, read_at, RamInputs(size_bin, day0, tracked))
    return states


# A counter of an observation without one is null, and so are its moment and state.
_SERIES = """
    SELECT
        modulo(CRC32(model_id), %(partitions)s) AS partition,
        toString(source) AS source, toString(model_id) AS model_id,
        toUnixTimestamp64Milli(max(observed_at)) AS latest_at,
        ifNull(min(moment), -1) AS first_at, ifNull(max(moment), -1) AS at,
        ifNull(argMax(counter, moment), -1) AS raw,
        ifNull(maxIf(moment, is_change), -1) AS changed_at,
        ifNull(maxIf(moment, state = 'first'), -1) AS began_at,
        ifNull(maxIf(moment, is_knot), -1) AS knot_at,
        ifNull(argMaxIf(counter, moment, is_knot), -1) AS knot_raw,
        ifNull(argMaxIf(opened, moment, is_knot), -1) AS opening,
        ifNull(maxIf(moment, state = 'correction'), -1) AS fall_at,
        ifNull(maxIf(moment, state = 'held'), -1) AS held_at,
        ifNull(maxIf(moment, state = 'rollback'), -1) AS rollback_at,
        max(version) AS version
    FROM
    (
        SELECT
            model_id, source, observed_at, version, state,
            if(isNull(state), NULL, toUnixTimestamp64Milli(observed_at)) AS moment,
            toInt64(downloads_all_time) AS counter, toInt64(ifNull(opening, -1)) AS opened,
            ifNull(state IN ('first', 'rise', 'idle', 'correction'), false) AS is_knot,
            ifNull(state IN ('first', 'rise', 'correction'), false) AS is_change
        FROM downloads_log FINAL
        WHERE modulo(CRC32(model_id), %(partitions)s) IN %(numbers)s
    )
    GROUP BY model_id, source
    -- The table is in the order of what is grouped by: a third of the time.
    SETTINGS optimize_aggregation_in_order = 1, do_not_merge_across_partitions_select_final = 1
"""


def restore(state: State, slots: Int, rows: dict[str, Int]) -> None:
    """Set where series stand; a rate that is not known is computed from history when needed."""
    tails = state.tails
    names = ("latest_at", "first_at", "at", "raw", "changed_at", "knot_at", "knot_raw", "opening")
    for name in names:
        getattr(tails, name)[slots] = rows[name]
    new = slots[(rows["changed_at"] == rows["began_at"]) & (rows["began_at"] != NULL)]
    tails.changes.add(new, tails.first_at[new], np.zeros_like(new))
    has_fall = rows["fall_at"] != NULL
    # Any counter may be one that the fall is rolled back by: only history tells.
    tails.fall_raw[slots] = 0
    tails.fall_until[slots] = np.where(has_fall, rows["fall_at"] + ROLLBACK_MS, NULL)
    tails.held[slots] = rows["held_at"] > rows["changed_at"]
    tails.unsure[slots] = np.maximum(rows["held_at"], rows["rollback_at"]) > rows["knot_at"]
    knot_day = rows["knot_at"] // DAY_MS * DAY_MS
    tails.corrected[slots] = has_fall & (rows["fall_at"] >= knot_day)


_STORED = """
    SELECT
        toString(d.source) AS source, toString(d.model_id) AS model_id,
        toString(d.origin) AS origin,
        toUnixTimestamp64Milli(d.observed_at) AS at,
        toInt64(ifNull(d.downloads_all_time, -1)) AS raw,
        toInt64(ifNull(d.downloads_30d, -1)) AS downloads_30d,
        toInt64(ifNull(d.likes, -1)) AS likes, d.version AS version
    FROM downloads_log AS d FINAL
    INNER JOIN
    (
        SELECT t.1 AS source, t.2 AS model_id, t.3 AS first_at, t.4 AS last_at
        FROM
        (
            SELECT arrayJoin(arrayZip(%(sources)s, %(models)s, %(first_at)s, %(last_at)s)) AS t
        )
    ) AS span ON span.model_id = d.model_id AND span.source = d.source
    WHERE d.model_id IN %(models)s
        AND d.observed_at >= fromUnixTimestamp64Milli(%(earliest)s, 'UTC')
        AND d.observed_at <= fromUnixTimestamp64Milli(%(latest)s, 'UTC')
        AND toUnixTimestamp64Milli(d.observed_at) >= span.first_at
        AND toUnixTimestamp64Milli(d.observed_at) <= span.last_at
    SETTINGS do_not_merge_across_partitions_select_final = 1
"""

_LATEST_MOMENT = 10_413_792_000_000
"""00:00 UTC of 2300-01-01 in milliseconds: what ClickHouse's DateTime64 holds at most."""


def load_stored(
    clickhouse: WorkerClickHouse, states: Mapping[int, State], needed: Spans
) -> dict[int, Columns]:
    """Return stored observations of series by partition, by slot and time.

    Raises `StateBehindError` if one of the rows has a greater version than its partition's state.
    """
    spans = list(chain.from_iterable(needed.values()))
    parameters = {
        "sources": [one.source for one in spans],
        "models": [one.model_id for one in spans],
        "first_at": [one.first_at for one in spans],
        "last_at": [one.last_at for one in spans],
        "earliest": min(one.first_at for one in spans),
        "latest": min(max(one.last_at for one in spans), _LATEST_MOMENT),
    }
    rows = clickhouse.query(_STORED, parameters)
    places = {
        (one.source, one.model_id): (number, one.slot)
        for number, of_partition in needed.items()
        for one in of_partition
    }
    series = zip(rows["source"].to_pylist(), rows["model_id"].to_pylist(), strict=True)
    found = np.array([places[one] for one in series], np.int64).reshape(-1, 2)
    owner, slot = found.T
    at, version = int_column(rows, "at"), int_column(rows, "version")
    raw, month, likes = (int_column(rows, name) for name in ("raw", "downloads_30d", "likes"))
    origin = rows["origin"].combine_chunks().dictionary_encode()
    names = origin.dictionary.to_pylist()
    stored = {}
    for number in needed:
        state, own = states[number], owner == number
        if version[own].max(initial=0) > state.version:
            raise StateBehindError(number)
        origins = np.array([state.index.origin(name) for name in names], np.int64)
        columns = Columns(slot, at, raw, month, likes, origins[origin.indices.to_numpy()]).take(own)
        stored[number] = columns.take(np.lexsort((columns.at, columns.slot)))
    return stored
