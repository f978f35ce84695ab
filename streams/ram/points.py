"""Points of one size bin: a matrix of ages and models, and each model's latest values."""

from collections.abc import Iterator, Sequence

import numpy as np

from breakout.contract import PointsSlice
from breakout.core import ram
from breakout.core.arrays import NULL, Flag, Int
from breakout.core.times import DAY_MS, day_ms, to_ms
from streams.ram.changes import Changes, LatestRow, PointRows


class PointsMatrix:
    """A column per model; `NULL` where a model has no point. Columns are never removed."""

    def __init__(self) -> None:
        self.columns: dict[str, int] = {}
        """By model id."""
        self.points = np.full((ram.AGES, 16), NULL, dtype=np.int64)
        """Cumulative downloads by age in days and column."""
        self.day0 = np.full(16, NULL, dtype=np.int64)
        """Day of release by column, milliseconds UTC."""
        self.tracked = np.zeros(16, dtype=bool)
        self.latest = np.full(16, NULL, dtype=np.int64)
        """Latest cumulative downloads by column."""
        self.stale_ages = np.ones(ram.AGES, dtype=bool)
        """Ages whose points or peers changed since they were last reset."""
        self._basis: dict[str, tuple[int, int]] = {}

    def restore_models(self, rows: Sequence[LatestRow]) -> None:
        """Add models, each once, as stored in ClickHouse."""
        columns = np.array([self._column(row.model_id) for row in rows], dtype=np.int64)
        self._set_models(columns, rows)

    def restore_points(self, model_ids: Sequence[str], ages: Int, cumulative: Int) -> None:
        """Add points as stored in ClickHouse."""
        columns = [self._column(model_id) for model_id in model_ids]
        self.points[ages, columns] = cumulative

    def update(self, slice_: PointsSlice, changes: Changes) -> int:
        """Take in a slice of points, and add its rows to `changes`; returns how many changed."""
        columns = np.array([self._column(model_id) for model_id in slice_.models], dtype=np.int64)
        newest = np.zeros(len(columns), dtype=bool)
        rows, updates = [], 0
        for index, row in enumerate(_latest_rows(slice_)):
            if row.basis < self._basis.get(row.model_id, row.basis):
                continue  # computed from an older state
            newest[index] = True
            if slice_.reset[index]:
                updates += self._withdraw_points(row.model_id, int(columns[index]), changes)
            rows.append(row)
        self._set_models(columns[newest], rows)
        changes.latest.update((row.model_id, row) for row in rows)
        return updates + len(rows) + self._set_points(slice_, columns, newest, changes)

    def _set_points(self, slice_: PointsSlice, columns: Int, newest: Flag, changes: Changes) -> int:
        model = np.array(slice_.point_model, dtype=np.int64)
        age = np.array(slice_.point_age, dtype=np.int64)
        cumulative = np.array(slice_.point_cumulative, dtype=np.int64)
        changed = newest[model] & (self.points[age, columns[model]] != cumulative)
        model, age, cumulative = model[changed], age[changed], cumulative[changed]
        column = columns[model]
        self.points[age, column] = cumulative
        self.stale_ages[age] = True
        as_of = self.day0[column] + age * DAY_MS
        changes.points.append(PointRows(slice_.models, model, age, cumulative, as_of))
        return len(age)

    def _withdraw_points(self, model_id: str, column: int, changes: Changes) -> int:
        ages = np.flatnonzero(self.points[:, column] >= 0)
        self.points[ages, column] = NULL
        self.stale_ages[ages] = True
        as_of = self.day0[column] + ages * DAY_MS
        nulls = np.full_like(ages, NULL)
        changes.points.append(PointRows([model_id], np.zeros_like(ages), ages, nulls, as_of))
        return len(ages)

    def _set_models(self, columns: Int, rows: Sequence[LatestRow]) -> None:
        day0 = np.array([NULL if row.day0 is None else row.day0 for row in rows], dtype=np.int64)
        tracked = np.array([row.tracked for row in rows], dtype=bool) & (day0 != NULL)
        moved = columns[(tracked != self.tracked[columns]) | (day0 != self.day0[columns])]
        self.stale_ages |= (self.points[:, moved] >= 0).any(axis=1)
        self.tracked[columns], self.day0[columns] = tracked, day0
        self.latest[columns] = [NULL if row.cumulative is None else row.cumulative for row in rows]
        self._basis.update((row.model_id, row.basis) for row in rows)

    def _column(self, model_id: str) -> int:
        column = self.columns.get(model_id)
        if column is None:
            column = self.columns[model_id] = len(self.columns)
            if column >= len(self.day0):
                self._double()
        return column

    def _double(self) -> None:
        spare = np.full_like(self.day0, NULL)
        self.points = np.concatenate((self.points, np.full_like(self.points, NULL)), axis=1)
        self.day0 = np.concatenate((self.day0, spare))
        self.latest = np.concatenate((self.latest, spare))
        self.tracked = np.concatenate((self.tracked, np.zeros_like(self.tracked)))


def _latest_rows(slice_: PointsSlice) -> Iterator[LatestRow]:
    return map(
        LatestRow,
        slice_.models,
        [None if day is None else day_ms(day) for day in slice_.released_at],
        slice_.tracked,
        [None if at is None else to_ms(at) for at in slice_.latest_at],
        slice_.latest_cumulative,
        map(to_ms, slice_.scored_since),
        slice_.known,
    )
