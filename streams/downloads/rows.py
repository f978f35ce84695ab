"""Rows of ClickHouse's tables that the downloads processor writes, as Arrow tables."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from breakout.contract import ModelRecord
from breakout.core.arrays import NULL, Int
from breakout.core.counters import State
from breakout.core.grid import Basis
from streams.arrow import DATE, TEXT, TEXTS, TIMESTAMP, table_of, timestamps, unsigned
from streams.downloads.restating import GridRows, Observed
from streams.downloads.slice_columns import SliceColumns
from streams.downloads.state import Result

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


def downloads(parts: Sequence[tuple[Result, Sequence[str]]]) -> pa.Table:
    """Return rows of `downloads_log`, from the changes and the origins of each partition.

    With `ROWS_TO_ORDER` per series they are in the order of the table's key, which costs ClickHouse
    a sixth less: there are fewer series to sort here than rows in ClickHouse.
    """
    origins = sorted({origin for _, known in parts for origin in known})
    series = _Series([result for result, _ in parts], lambda one: one.observed.columns.slot)
    row_origin = np.concatenate(
        [_numbers(known, origins)[result.observed.columns.origin] for result, known in parts]
    )
    order = series.order()

    def column(of: Callable[[Observed], NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate([of(result.observed) for result, _ in parts])[order]

    state = column(lambda one: one.state)
    return pa.table(
        {
            "model_id": series.names(order),
            "observed_at": timestamps(column(lambda one: one.columns.at)),
            "source": series.sources(order),
            "origin": _names(row_origin[order], pa.array(origins, pa.string())),
            "downloads_all_time": unsigned(column(lambda one: one.columns.raw)),
            "downloads_30d": unsigned(column(lambda one: one.columns.downloads_30d)),
            "likes": unsigned(column(lambda one: one.columns.likes)),
            "state": pa.DictionaryArray.from_arrays(
                pa.array(state.astype(np.int32), mask=state == NULL), _STATES
            ),
            "correction": unsigned(column(lambda one: one.correction)),
            "knot_since": _moments(column(lambda one: one.knot_since)),
            "knot_until": _moments(column(lambda one: one.knot_until)),
            "opening": unsigned(column(lambda one: one.opening)),
            "version": series.versions(order),
        }
    )


def daily(results: Sequence[Result]) -> pa.Table:
    """Return rows of `daily_log`."""
    return _grid(results, lambda one: one.grid)


def superseded(results: Sequence[Result]) -> pa.Table:
    """Return rows of `daily_superseded`."""
    at = np.concatenate([one.superseded.superseded_at for one in results])
    rows = _grid(results, lambda one: one.superseded)
    return rows.append_column("superseded_at", timestamps(at))


def _grid(results: Sequence[Result], of: Callable[[Result], GridRows]) -> pa.Table:
    series = _Series(results, lambda one: of(one).rows.series)

    def column(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(of(result).rows, name) for result in results])

    withdrawn = np.concatenate([of(result).withdrawn for result in results])
    every = np.arange(len(withdrawn))
    return pa.table(
        {
            "model_id": series.names(every),
            "source": series.sources(every),
            "day": pa.array(column("day").astype(np.int32)).cast(DATE),
            "cumulative": pa.array(column("cumulative").astype(np.uint64)),
            "downloads": unsigned(column("downloads")),
            "correction": pa.array(column("correction").astype(np.uint64)),
            "basis": pa.DictionaryArray.from_arrays(
                pa.array(column("basis").astype(np.int32)), _BASES
            ),
            "known_at": timestamps(column("known_at")),
            "withdrawn": pa.array(withdrawn.astype(np.uint8)),
            "version": series.versions(every),
        }
    )


class _Series:
    """The series of rows of several partitions, and what rows have of them."""

    def __init__(self, results: Sequence[Result], rows: Callable[[Result], Int]) -> None:
        self._models = pa.concat_arrays([one.models for one in results])
        self._sources = sorted({source for one in results for source in one.sources})
        self._source = np.concatenate(
            [_numbers(one.sources, self._sources)[one.source] for one in results]
        )
        begins = np.cumsum([0, *(len(one.models) for one in results)]).tolist()
        self._row = np.concatenate(
            [rows(one) + begin for one, begin in zip(results, begins, strict=False)]
        )
        lengths = [len(rows(one)) for one in results]
        self._version = np.repeat(
            np.array([one.version for one in results], dtype=np.uint64), lengths
        )

    def order(self) -> Int:
        """Return the order in which rows are written."""
        return _order(self._models, self._source, self._row)

    def names(self, order: Int) -> pa.Array:
        """Return model ids."""
        # Two sources may have the same model.
        return _names(self._row[order], self._models, distinct=not self._source.any())

    def sources(self, order: Int) -> pa.Array:
        """Return sources."""
        return _names(self._source[self._row[order]], pa.array(self._sources, pa.string()))

    def versions(self, order: Int) -> pa.Array:
        """Return versions."""
        return pa.array(self._version[order])


def _moments(column: Int) -> pa.Array:
    return pa.array(column, type=pa.int64(), mask=column == NULL).cast(TIMESTAMP)


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


_STATES = pa.array([state.name.lower() for state in State], pa.string())
_BASES = pa.array([basis.name.lower() for basis in Basis], pa.string())
_SCRAPES = {
    "source": TEXT,
    "observed_at": TIMESTAMP,
    "scrape_id": TEXT,
    "partition": pa.uint16(),
    "slice": pa.uint32(),
    "models": pa.uint32(),
    "complete": pa.bool_(),
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
    "size_disputed": pa.bool_(),
    "size_manual_b": pa.float64(),
    "size_parameters_b": pa.float64(),
    "size_total_b": pa.float64(),
    "size_name_b": pa.float64(),
    "repository": TEXT,
    "renamed_to": TEXT,
    "observed_at": TIMESTAMP,
}


def scrapes(slices: Mapping[int, Iterable[SliceColumns]]) -> pa.Table:
    """Return rows of `scrapes_log`, from the slices of each partition."""
    return table_of(
        _SCRAPES,
        (
            (
                *(one.source, one.at, one.scrape_id, partition),
                *(one.number, len(one.models), one.complete),
            )
            for partition, group in slices.items()
            for one in group
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
