"""Rows of ClickHouse's tables that the downloads processor writes, as Arrow tables."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from breakout.contract import ModelRecord
from breakout.core.arrays import NULL, Flag, Int
from breakout.core.times import DAY_MS
from streams.arrow import COUNT, DATE, TEXT, TEXTS, TIMESTAMP, table_of, timestamps, unsigned
from streams.columns import last_of_slot
from streams.downloads.slice_columns import SliceColumns
from streams.downloads.state import Result, Rows

ROWS_TO_ORDER = 4
"""Rows per series from which sorting the series costs less than it saves ClickHouse."""


def _names(index: NDArray[np.integer], names: pa.Array, *, distinct: bool = True) -> pa.Array:
    """Return a column of names, as a dictionary if they repeat."""
    if len(index) < 2 * len(names):
        return names.take(pa.array(index))
    if distinct:
        return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), names)
    encoded = names.dictionary_encode()
    places = encoded.indices.to_numpy()[index]
    return pa.DictionaryArray.from_arrays(pa.array(places), encoded.dictionary)


def _numbers(names: Iterable[str], index: Sequence[str]) -> Int:
    number = {name: place for place, name in enumerate(index)}
    return np.array([number[name] for name in names], dtype=np.int64)


def downloads(parts: Sequence[tuple[Rows, Sequence[str]]]) -> pa.Table:
    """Return rows of `downloads_log`, from the rows and the origins of each partition.

    With `ROWS_TO_ORDER` per series they are in the order of the table's key, which costs ClickHouse
    a sixth less: there are fewer series to sort here than rows in ClickHouse.
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
    row_series = row_series[order]
    return pa.table(
        {
            # Two sources may have the same model.
            "model_id": _names(row_series, models, distinct=not source.any()),
            "observed_at": timestamps(at),
            "source": _names(source[row_series], pa.array(sources, pa.string())),
            "origin": _names(row_origin[order], pa.array(origins, pa.string())),
            "downloads_all_time": unsigned(column(lambda rows: rows.columns.raw)),
            "downloads_30d": unsigned(column(lambda rows: rows.columns.downloads_30d)),
            "likes": unsigned(column(lambda rows: rows.columns.likes)),
            "cumulative": unsigned(cumulative),
            "delta": unsigned(column(lambda rows: rows.cleaned.delta)),
            "revision": unsigned(column(lambda rows: rows.cleaned.revision)),
            "standing": pa.array(standing == 1, mask=standing == NULL),
            "jump": pa.array(column(lambda rows: rows.cleaned.jump)),
            "version": pa.array(
                column(lambda rows: np.full(len(rows.series), rows.version, dtype=np.uint64))
            ),
            "closing": pa.array(_closing(row_series, at, cumulative)),
        }
    )


def _order(models: pa.Array, source: Int, row_series: Int) -> Int:
    """Return the order of rows that are grouped by series and ordered by time within a series."""
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
    """Return which rows are the last with a counter of their series and UTC day."""
    counted = np.flatnonzero(cumulative != NULL)
    last = last_of_slot(series[counted]) | last_of_slot(at[counted] // DAY_MS)
    closing = np.zeros(len(cumulative), dtype=bool)
    closing[counted[last]] = True
    return closing


_SCRAPES = {
    "source": TEXT,
    "observed_at": TIMESTAMP,
    "partition": pa.uint16(),
    "models": pa.uint32(),
    "compared": pa.uint32(),
    "standing": pa.uint32(),
    "complete": pa.bool_(),
    "version": COUNT,
}
_SCRAPE_MISSING = {"source": TEXT, "observed_at": TIMESTAMP, "model_id": TEXT, "reason": TEXT}
_MODELS = {
    "model_id": TEXT,
    "org": TEXT,
    "region": TEXT,
    "region_source": TEXT,
    "total_params_b": pa.float64(),
    "active_params_b": pa.float64(),
    "size_source": TEXT,
    "size_bin": TEXT,
    "released_at": DATE,
    "released_source": TEXT,
    "created_at": TIMESTAMP,
    "license": TEXT,
    "pipeline_tag": TEXT,
    "base_models": TEXTS,
    "base_relation": TEXT,
    "tracked": pa.bool_(),
    "observed_at": TIMESTAMP,
}


def scrapes(results: Mapping[int, Result]) -> pa.Table:
    """Return rows of `scrapes_log`, from the results of each partition."""
    return table_of(
        _SCRAPES,
        (
            (source, at, partition, *vars(count).values(), result.version)
            for partition, result in results.items()
            for (source, at), count in result.scrapes.items()
        ),
    )


def scrape_missing(slices: Iterable[SliceColumns]) -> pa.Table:
    """Return rows of `scrape_missing`."""
    return table_of(
        _SCRAPE_MISSING,
        (
            (one.source, one.at, missing.model_id, missing.reason)
            for one in slices
            for missing in one.missing
        ),
    )


def models(records: Sequence[ModelRecord]) -> pa.Table:
    """Return rows of `models_log`."""
    return table_of(
        _MODELS, ([getattr(record, column) for column in _MODELS] for record in records)
    )
