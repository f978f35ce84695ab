"""The RAM processor's state on dictionaries instead of Kafka and ClickHouse.

Tables keep the row with the greatest version of each key, of equal versions the last one written.
"""

from typing import Any

import numpy as np

from breakout.contract import DailySlice
from breakout.core.arrays import NULL
from streams.ram.baselines import baseline_of
from streams.ram.changes import Breakout, Changes, LatestRow
from streams.ram.daily import DailyRows
from streams.ram.state import BinState
from tests.streams.ram.slices import SIZE_BIN, GridRow

Written = tuple[int, Any]
PointKey = tuple[int, str]


class MemoryRam:
    """One size bin: the grid, the four tables, and a worker that can lose its state."""

    def __init__(self, min_age: int = 7, max_age: int = 90, size_bin: str = SIZE_BIN) -> None:
        self._size_bin = size_bin
        self.ages = (min_age, max_age)
        self.daily: dict[str, dict[int, GridRow]] = {}
        """What `daily_log` holds, by model and day."""
        self.points: dict[PointKey, Written] = {}
        self.latest: dict[str, Written] = {}
        self.baselines: dict[tuple[str, int], Written] = {}
        self.breakouts: dict[tuple[str, str], Written] = {}
        self.events: list[tuple[str, str, str]] = []
        self.state = self.load()

    def process(self, *slices: DailySlice, write_points: float = 1.0) -> Changes:
        """Process a batch; with a share below 1 the worker ends as it writes the points."""
        state = self.state
        asked = {one for slice_ in slices for one, _ in state.matrix.to_reread(slice_)}
        reread = {model_id: self._daily_rows(model_id) for model_id in asked}
        changes = Changes(state.size_bin, state.version)
        for slice_ in slices:
            state.update(slice_, reread, changes)
        state.recompute(changes)
        self._write(changes, write_points)
        if write_points < 1:
            self.state = self.load()
        return changes

    def load(self) -> BinState:
        """Return the state as a restarted worker has it."""
        state = BinState(self._size_bin, *self.ages)
        state.matrix.restore_models([row for _, row in self.latest.values()])
        written = list(self.points.items())
        state.matrix.restore_points(
            [model_id for (_, model_id), _ in written],
            np.array([age for (age, _), _ in written], dtype=np.int64),
            np.array([_number(row[0]) for _, (_, row) in written], dtype=np.int64),
            np.array([_number(row[1]) for _, (_, row) in written], dtype=np.int64),
        )
        tables: tuple[dict[Any, Written], ...] = (
            self.points, self.latest, self.baselines, self.breakouts,
        )  # fmt: skip
        state.version = max((row[0] for one in tables for row in one.values()), default=0)
        state.settle()
        breakouts: dict[str, dict[str, Breakout]] = {}
        for (name, model_id), one in self.breakout_rows().items():
            breakouts.setdefault(name, {})[model_id] = one
        names = {name for name, _ in self.baselines}
        baselines = {
            name: baseline_of(
                {age: row for (other, age), (_, row) in self.baselines.items() if other == name}
            )
            for name in names
        }
        state.compare(baselines, breakouts)
        return state

    def point_rows(self) -> dict[PointKey, tuple[int | None, int | None, int | None]]:
        """Return cumulative, downloads and capped by age and model, without withdrawn rows."""
        rows = {key: row for key, (_, row) in self.points.items()}
        return {key: row[:3] for key, row in rows.items() if row[:2] != (None, None)}

    def breakout_rows(self) -> dict[tuple[str, str], Breakout]:
        """Return the breakouts that are not retracted, by baseline and model."""
        return {key: row for key, (_, row) in self.breakouts.items() if row is not None}

    def latest_rows(self) -> dict[str, LatestRow]:
        """Return the last knots of the models in the bin."""
        rows = {key: row for key, (_, row) in self.latest.items()}
        return {key: row for key, row in rows.items() if row.day0 is not None}

    def _daily_rows(self, model_id: str) -> DailyRows:
        rows = sorted(self.daily.get(model_id, {}).items())
        columns = [
            [0] * len(rows),
            [day for day, _ in rows],
            [NULL if row.gap else _number(row.cumulative) for _, row in rows],
            [_number(row.downloads) for _, row in rows],
        ]
        return DailyRows(*(np.array(one, dtype=np.int64) for one in columns))

    def _write(self, changes: Changes, write_points: float) -> None:
        version = changes.version
        for base in changes.baselines:
            row = (base.peers, base.downloads, base.as_of)
            _put(self.baselines, (base.baseline, base.age), version, row)
        for one in changes.breakouts:
            breakout = None if one.status == "retracted" else one.breakout
            _put(self.breakouts, (one.baseline, one.model_id), version, breakout)
            self.events.append((one.baseline, one.model_id, one.status))
        points = [
            ((age, rows.models[model]), (*map(_none, counts), as_of))
            for rows in changes.points
            for model, age, *counts, as_of in zip(
                *(rows.model.tolist(), rows.age.tolist(), rows.cumulative.tolist()),
                *(rows.downloads.tolist(), rows.capped.tolist(), rows.as_of.tolist()),
                strict=True,
            )
        ]
        for key, point in points[: round(len(points) * write_points)]:
            _put(self.points, key, version, point)
        if write_points == 1:
            for model_id, latest in changes.latest.items():
                _put(self.latest, model_id, version, latest)


def _put(table: dict[Any, Written], key: Any, version: int, row: Any) -> None:
    known = table.get(key)
    if known is None or known[0] <= version:
        table[key] = (version, row)


def _number(count: int | None) -> int:
    return NULL if count is None else count


def _none(count: int) -> int | None:
    return None if count == NULL else count
