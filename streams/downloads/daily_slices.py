"""Slices of `breakout.daily`: grid rows of models with a size bin and a release date."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from breakout.contract import DailySlice
from breakout.core import ram
from breakout.core.arrays import NULL, Int
from breakout.core.counters import KNOTS
from breakout.core.grid import Basis
from breakout.core.times import from_ms
from streams.downloads.registry import Registered, RegistryChange
from streams.downloads.state import Result, State


def slices_of(state: State, result: Result) -> Iterable[tuple[str, DailySlice]]:
    """Yield (size bin, slice) of what a batch changed."""
    by_bin: dict[str, list[int]] = {}
    registered: dict[int, Registered] = {}
    names = result.models
    for series in _changed(result).tolist():
        found = state.registry.find(names[series].as_py())
        if found.inputs.has_ram:
            registered[series] = found
            by_bin.setdefault(str(found.inputs.size_bin), []).append(series)
    for size_bin, members in by_bin.items():
        models = names.take(members).to_pylist()
        entries = [registered[series] for series in members]
        values = _models(state, size_bin, models, entries, result.slots[members])
        yield size_bin, _slice(values | _rows(result, np.array(members, dtype=np.int64)))


def slices_of_registry(
    state: State, changes: Sequence[RegistryChange]
) -> Iterable[tuple[str, DailySlice]]:
    """Yield (size bin, slice) of models that left a bin, then of models to be read anew."""
    for change in changes:
        if change.left_bin is not None:
            values = _models(state, change.left_bin, [change.model_id], [change.now], None)
            values |= {"tracked": [False], "released_at": [None]}
            yield change.left_bin, _slice(values)
    by_bin: dict[str, list[RegistryChange]] = {}
    for change in changes:
        if change.now.inputs.has_ram:
            by_bin.setdefault(str(change.now.inputs.size_bin), []).append(change)
    for size_bin, members in by_bin.items():
        models = [change.model_id for change in members]
        found = [state.index.find(ram.SOURCE, model_id) for model_id in models]
        slots = np.array([-1 if slot is None else slot for slot in found], dtype=np.int64)
        values = _models(state, size_bin, models, [change.now for change in members], slots)
        # Of models without observations there is nothing to read.
        yield size_bin, _slice(values | {"reread": [slot is not None for slot in found]})


def _changed(result: Result) -> Int:
    """Return the series of RAM's source with a knot or a row among the changes."""
    if ram.SOURCE not in result.sources:
        return np.empty(0, dtype=np.int64)
    changed = np.zeros(len(result.models), dtype=bool)
    changed[result.observed.columns.slot[np.isin(result.observed.state, KNOTS)]] = True
    changed[result.grid.rows.series] = True
    changed &= result.source == result.sources.index(ram.SOURCE)
    return np.flatnonzero(changed)


def _models(
    state: State,
    size_bin: str,
    models: Sequence[str],
    registered: Sequence[Registered],
    slots: Int | None,
) -> dict[str, Any]:
    """Return a slice without rows; a slot of -1 has no observations."""
    at = np.full(len(models), NULL, np.int64)
    cumulative = at.copy()
    if slots is not None:
        at = np.where(slots < 0, NULL, state.tails.knot_at[slots])
        cumulative = state.tails.knot_raw[slots]
    return {
        "size_bin": size_bin,
        "models": list(models),
        "registry_changed_at": [from_ms(one.changed_at) for one in registered],
        "known": [state.version] * len(models),
        "tracked": [one.inputs.tracked for one in registered],
        "released_at": [
            None if one.inputs.day0 is None else from_ms(one.inputs.day0).date()
            for one in registered
        ],
        "reread": [False] * len(models),
        "knot_at": [None if one == NULL else from_ms(one) for one in at.tolist()],
        "knot_cumulative": [
            None if moment == NULL else total
            for moment, total in zip(at.tolist(), cumulative.tolist(), strict=True)
        ],
    }


def _rows(result: Result, members: Int) -> dict[str, Any]:
    """Return the rows of some series."""
    place = np.full(len(result.models), NULL, np.int64)
    place[members] = np.arange(len(members))
    picked = np.flatnonzero(place[result.grid.rows.series] != NULL)
    rows, withdrawn = result.grid.rows.take(picked), result.grid.withdrawn[picked]
    return {
        "row_model": place[rows.series].tolist(),
        "row_day": rows.day.tolist(),
        "row_cumulative": [
            None if gone else total
            for gone, total in zip(withdrawn.tolist(), rows.cumulative.tolist(), strict=True)
        ],
        "row_downloads": [
            None if count == NULL else count
            for count in np.where(withdrawn, NULL, rows.downloads).tolist()
        ],
        "row_gap": (rows.basis == Basis.GAP).tolist(),
    }


_NO_ROWS: dict[str, list[Any]] = {
    "row_model": [],
    "row_day": [],
    "row_cumulative": [],
    "row_downloads": [],
    "row_gap": [],
}


def _slice(values: dict[str, Any]) -> DailySlice:
    # Not validated: the consumer validates it, and validation is a third of the work of a slice.
    return DailySlice.model_construct(**(_NO_ROWS | values))
