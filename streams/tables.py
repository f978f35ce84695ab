"""Rows for ClickHouse as Arrow tables, one function a table of sql/."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from breakout.ages import DAY_MS
from breakout.contract import ModelRecord
from breakout.series import NULL
from streams.arrow import MOMENT, moments
from streams.columns import Flag, Int, last_of_slot
from streams.downloads_state import Result, Rows, Scrape, ScrapeCount
from streams.scores_state import Changes
from streams.slice_columns import SliceColumns

ROWS_TO_ORDER = 4
"""Rows a series from which sorting the series costs less than it saves ClickHouse."""


def _count(column: Int) -> pa.Array:
    return pa.array(column.view(np.uint64), mask=column == NULL)


def _names(index: NDArray[np.integer], names: pa.Array, *, distinct: bool = True) -> pa.Array:
    """Return a column of names; of those that repeat each is sent once."""
    if len(index) < 2 * len(names):
        return names.take(pa.array(index))
    if distinct:
        return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), names)
    encoded = names.dictionary_encode()
    places = encoded.indices.to_numpy()[index]
    return pa.DictionaryArray.from_arrays(pa.array(places), encoded.dictionary)


def _numbers(names: Iterable[str], among: Sequence[str]) -> Int:
    number = {name: place for place, name in enumerate(among)}
    return np.array([number[name] for name in names], dtype=np.int64)


def downloads(parts: Sequence[tuple[Rows, Sequence[str]]]) -> pa.Table:
    """Return rows of `downloads_log`: of each partition, with its state's origins.

    Where a series has `ROWS_TO_ORDER` they are in the order of the table's key, which costs
    ClickHouse a sixth less: there are fewer series to sort here than rows to sort there.
    """
    sources = sorted({source for rows, _ in parts for source in rows.sources})
    origins = sorted({origin for _, known in parts for origin in known})
    models = pa.concat_arrays([rows.models for rows, _ in parts])
    source = np.concatenate([_numbers(rows.sources, sources)[rows.source] for rows, _ in parts])
    begins = np.cumsum([0, *(len(rows.models) for rows, _ in parts)]).tolist()
    row_series = np.concatenate(
        [rows.series + begin for (rows, _), begin in zip(parts, begins, strict=False)]
    )
    row_origin = np.concatenate(
        [_numbers(known, origins)[rows.columns.origin] for rows, known in parts]
    )
    order = _order(models, source, row_series)

    def column(of: Callable[[Rows], NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate([of(rows) for rows, _ in parts])[order]

    at = column(lambda rows: rows.columns.at)
    cumulative = column(lambda rows: rows.cleaned.cumulative)
    standing = column(lambda rows: rows.cleaned.standing)
    own = row_series[order]
    return pa.table(
        {
            # Of two sources each may have the same model.
            "model_id": _names(own, models, distinct=not source.any()),
            "observed_at": moments(at),
            "source": _names(source[own], pa.array(sources, pa.string())),
            "origin": _names(row_origin[order], pa.array(origins, pa.string())),
            "downloads_all_time": _count(column(lambda rows: rows.columns.raw)),
            "downloads_30d": _count(column(lambda rows: rows.columns.downloads_30d)),
            "likes": _count(column(lambda rows: rows.columns.likes)),
            "cumulative": _count(cumulative),
            "delta": _count(column(lambda rows: rows.cleaned.delta)),
            "revision": _count(column(lambda rows: rows.cleaned.revision)),
            "standing": pa.array(standing == 1, mask=standing == NULL),
            "jump": pa.array(column(lambda rows: rows.cleaned.jump)),
            "version": pa.array(
                column(lambda rows: np.full(len(rows.series), rows.version, dtype=np.uint64))
            ),
            "closing": pa.array(_closing(own, at, cumulative)),
        }
    )


def _order(models: pa.Array, source: Int, row_series: Int) -> Int:
    """Return the order of rows, those of a series being together and in the order of time."""
    if len(row_series) < ROWS_TO_ORDER * len(models):
        return np.arange(len(row_series))
    if source.any():
        series = pa.table({"model_id": models, "source": source})
        keys = [("model_id", "ascending"), ("source", "ascending")]
        in_order = pc.sort_indices(series, sort_keys=keys).to_numpy()
    else:
        in_order = pc.sort_indices(models).to_numpy()
    rows = np.bincount(row_series, minlength=len(models))
    moved, rows = (np.cumsum(rows) - rows)[in_order], rows[in_order]
    return np.repeat(moved - (np.cumsum(rows) - rows), rows) + np.arange(len(row_series))


def _closing(series: Int, at: Int, cumulative: Int) -> Flag:
    """Return which rows are the last of their series and UTC day that have a counter."""
    counted = np.flatnonzero(cumulative != NULL)
    last = last_of_slot(series[counted]) | last_of_slot(at[counted] // DAY_MS)
    closing = np.zeros(len(cumulative), dtype=bool)
    closing[counted[last]] = True
    return closing


def scrapes(results: Mapping[int, Result]) -> pa.Table:
    """Return rows of `scrapes_log`, by partition."""
    return pa.concat_tables(
        [_scrapes(number, one.scrapes, one.version) for number, one in results.items()]
    )


def _scrapes(partition: int, counts: Mapping[Scrape, ScrapeCount], version: int) -> pa.Table:
    return pa.table(
        {
            "source": pa.array([source for source, _ in counts], pa.string()),
            "observed_at": moments([at for _, at in counts]),
            "partition": pa.array([partition] * len(counts), pa.uint16()),
            "models": pa.array([one.models for one in counts.values()], pa.uint32()),
            "compared": pa.array([one.compared for one in counts.values()], pa.uint32()),
            "standing": pa.array([one.standing for one in counts.values()], pa.uint32()),
            "complete": pa.array([one.complete for one in counts.values()], pa.bool_()),
            "version": pa.array([version] * len(counts), pa.uint64()),
        }
    )


def scrape_missing(slices: Iterable[SliceColumns]) -> pa.Table:
    """Return rows of `scrape_missing`."""
    rows = [(one, missing) for one in slices for missing in one.missing]
    return pa.table(
        {
            "source": pa.array([one.source for one, _ in rows], pa.string()),
            "observed_at": moments([one.at for one, _ in rows]),
            "model_id": pa.array([missing.model_id for _, missing in rows], pa.string()),
            "reason": pa.array([missing.reason for _, missing in rows], pa.string()),
        }
    )


_MODEL_COLUMNS = {
    "model_id": pa.string(),
    "org": pa.string(),
    "region": pa.string(),
    "region_source": pa.string(),
    "total_params_b": pa.float64(),
    "active_params_b": pa.float64(),
    "size_source": pa.string(),
    "size_bin": pa.string(),
    "released_at": pa.date32(),
    "released_source": pa.string(),
    "created_at": MOMENT,
    "license": pa.string(),
    "pipeline_tag": pa.string(),
    "base_models": pa.list_(pa.string()),
    "base_relation": pa.string(),
    "tracked": pa.bool_(),
    "observed_at": MOMENT,
}


def models(records: Sequence[ModelRecord]) -> pa.Table:
    """Return rows of `models_log`."""
    return pa.table(
        {
            name: pa.array([getattr(record, name) for record in records], kind)
            for name, kind in _MODEL_COLUMNS.items()
        }
    )


def points(changes: Iterable[Changes]) -> pa.Table:
    """Return rows of `points_log`."""
    # In the order they came: of two rows with one key and version, ClickHouse keeps the last.
    parts = [(one, rows) for one in changes for rows in one.points if len(rows.age)]
    if not parts:
        return pa.table({})
    long = [len(rows.age) for _, rows in parts]
    named = [rows.models[model] for _, rows in parts for model in rows.model.tolist()]
    versions = np.array([one.version for one, _ in parts], dtype=np.uint64)
    return pa.table(
        {
            "size_bin": pa.array(np.repeat([one.size_bin for one, _ in parts], long), pa.string()),
            "age_days": pa.array(np.concatenate([rows.age for _, rows in parts])).cast(pa.uint16()),
            "model_id": pa.array(named, pa.string()),
            "cumulative": _count(np.concatenate([rows.cumulative for _, rows in parts])),
            "as_of": moments(np.concatenate([rows.as_of for _, rows in parts])),
            "version": pa.array(np.repeat(versions, long)),
        }
    )


def latest(changes: Iterable[Changes]) -> pa.Table:
    """Return rows of `latest_log`."""
    rows = [(one, row) for one in changes for row in one.latest.values()]
    released = [None if row.day0 is None else row.day0 // 86_400_000 for _, row in rows]
    return pa.table(
        {
            "size_bin": pa.array([one.size_bin for one, _ in rows], pa.string()),
            "model_id": pa.array([row.model_id for _, row in rows], pa.string()),
            "released_at": pa.array(released, pa.int32()).cast(pa.date32()),
            "tracked": pa.array([row.tracked for _, row in rows], pa.bool_()),
            "observed_at": moments([row.observed_at for _, row in rows]),
            "cumulative": pa.array([row.cumulative for _, row in rows], pa.uint64()),
            "scored_since": moments([row.knowledge[0] for _, row in rows]),
            "known": pa.array([row.knowledge[1] for _, row in rows], pa.uint64()),
            "version": pa.array([one.version for one, _ in rows], pa.uint64()),
        }
    )


def baselines(changes: Iterable[Changes]) -> pa.Table:
    """Return rows of `baselines_log`."""
    rows = [(one, row) for one in changes for row in one.baselines]
    return pa.table(
        {
            "baseline": pa.array([row.baseline for _, row in rows], pa.string()),
            "size_bin": pa.array([one.size_bin for one, _ in rows], pa.string()),
            "age_days": pa.array([row.age for _, row in rows], pa.uint16()),
            "peers": pa.array([row.peers for _, row in rows], pa.uint8()),
            "downloads": pa.array([row.downloads for _, row in rows], pa.float64()),
            "as_of": moments([row.as_of for _, row in rows]),
            "version": pa.array([one.version for one, _ in rows], pa.uint64()),
        }
    )


def breakouts(changes: Iterable[Changes]) -> pa.Table:
    """Return rows of `breakouts_log`."""
    rows = [(one, row) for one in changes for row in one.crossings]
    return pa.table(
        {
            "baseline": pa.array([row.baseline for _, row in rows], pa.string()),
            "size_bin": pa.array([one.size_bin for one, _ in rows], pa.string()),
            "model_id": pa.array([row.model_id for _, row in rows], pa.string()),
            "crossed_at": moments([row.crossing.crossed_at for _, row in rows]),
            "age_days": pa.array([row.crossing.age for _, row in rows], pa.uint16()),
            "ram": pa.array([row.crossing.ram for _, row in rows], pa.float64()),
            "ended_at": moments([row.crossing.ended_at for _, row in rows]),
            "retracted": pa.array([row.status == "retracted" for _, row in rows], pa.bool_()),
            "version": pa.array([one.version for one, _ in rows], pa.uint64()),
        }
    )
