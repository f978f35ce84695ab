"""Rows of ClickHouse's tables that the downloads processor writes, as Arrow tables."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from breakout.contract import ModelRecord
from breakout.core.ages import DAY_MS
from breakout.core.series import NULL
from streams.arrow import MOMENT, counts, moments
from streams.columns import Flag, Int, last_of_slot
from streams.downloads.slice_columns import SliceColumns
from streams.downloads.state import Result, Rows, Scrape, ScrapeCount

ROWS_TO_ORDER = 4
"""Rows a series from which sorting the series costs less than it saves ClickHouse."""


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
            "downloads_all_time": counts(column(lambda rows: rows.columns.raw)),
            "downloads_30d": counts(column(lambda rows: rows.columns.downloads_30d)),
            "likes": counts(column(lambda rows: rows.columns.likes)),
            "cumulative": counts(cumulative),
            "delta": counts(column(lambda rows: rows.cleaned.delta)),
            "revision": counts(column(lambda rows: rows.cleaned.revision)),
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
