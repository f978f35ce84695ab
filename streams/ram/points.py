"""Points of one size bin: matrices of ages and models, and each model's last knot."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from breakout.contract import DailySlice
from breakout.core import ram
from breakout.core.ages import MAX_AGE_DAYS, age_at_end
from breakout.core.arrays import NULL, Flag, Int
from breakout.core.breakouts import capped
from breakout.core.times import DAY_MS, day_ms, to_ms
from streams.ram.changes import Changes, LatestRow, PointRows
from streams.ram.daily import DailyRows, rows_of

_ALL_AGES = np.arange(ram.AGES)[:, None]
_AT_ONCE = 4_096
"""Models whose capped values are computed at once: bounds the memory."""


class PointsMatrix:
    """A column per model; `NULL` where a model has nothing. Columns are never removed."""

    def __init__(self) -> None:
        self.columns: dict[str, int] = {}
        """By model id."""
        self._ids: list[str] = []
        self.points = np.full((ram.AGES, 16), NULL, dtype=np.int64)
        """Cumulative downloads by age in days and column."""
        self.downloads = np.full((ram.AGES, 16), NULL, dtype=np.int64)
        """Downloads of the day that ends at the age. A day in a gap has them, and no point."""
        self.day0 = np.full(16, NULL, dtype=np.int64)
        """Day of release by column, milliseconds UTC; the last one, when the model left the bin."""
        self.tracked = np.zeros(16, dtype=bool)
        self.latest = np.full(16, NULL, dtype=np.int64)
        """Cumulative downloads at the last knot, by column."""
        self.stale_ages = np.ones(ram.AGES, dtype=bool)
        """Ages whose points, downloads or peers changed since they were last reset."""
        self._excess = np.full(16, NULL, dtype=np.int64)
        """What the last point has above its capped value; `NULL` without one."""
        self._since = np.full(16, ram.AGES, dtype=np.int64)
        """First age of the rows taken in since the last `settle`, by column."""
        self._withdrawn: list[tuple[Int, Int]] = []
        """Ages and columns of rows withdrawn since then."""
        self._basis: dict[str, tuple[int, int]] = {}

    def restore_models(self, rows: Sequence[LatestRow]) -> None:
        """Add models, each once, as stored in ClickHouse."""
        columns = np.array([self._column(row.model_id) for row in rows], dtype=np.int64)
        self._set_models(columns, rows)

    def restore_points(
        self, model_ids: Sequence[str], ages: Int, cumulative: Int, downloads: Int
    ) -> None:
        """Add points as stored in ClickHouse."""
        columns = np.array([self._column(model_id) for model_id in model_ids], dtype=np.int64)
        self.points[ages, columns] = cumulative
        self.downloads[ages, columns] = downloads
        self._since[columns] = MAX_AGE_DAYS  # `settle` computes the capped value of the last point

    def to_reread(self, slice_: DailySlice) -> list[tuple[str, int]]:
        """Return the models of a slice to read from `daily_log`, with their day 0 in it."""
        return [
            (row.model_id, row.day0)
            for row, reread in zip(_latest_rows(slice_), slice_.reread, strict=True)
            if reread and row.day0 is not None and self._is_new(row)
        ]

    def update(self, slice_: DailySlice, reread: Mapping[str, DailyRows], changes: Changes) -> int:
        """Take in a slice; returns how many rows and models changed.

        `reread` has all rows of the models that `to_reread` names.
        """
        columns = np.array([self._column(model_id) for model_id in slice_.models], dtype=np.int64)
        newest = np.zeros(len(columns), dtype=bool)
        in_bin = np.zeros(len(columns), dtype=bool)
        rows = []
        for index, row in enumerate(_latest_rows(slice_)):
            if self._is_new(row):
                newest[index], in_bin[index] = True, row.day0 is not None
                rows.append(row)
        self._set_models(columns[newest], rows)
        changes.latest.update((row.model_id, row) for row in rows)
        updates = len(rows)
        replaced = newest & (np.array(slice_.reread, dtype=bool) | ~in_bin)
        for index in np.flatnonzero(replaced).tolist():
            model_id = slice_.models[index]
            updates += self._replace(
                int(columns[index]), reread[model_id] if in_bin[index] else None
            )
        daily = rows_of(slice_)
        return updates + self._set_rows(daily, columns[daily.model], in_bin[daily.model])

    def settle(self, changes: Changes) -> None:
        """Compute the capped values of what was taken in, and add its rows to `changes`."""
        columns = np.flatnonzero(self._since < ram.AGES)
        for start in range(0, len(columns), _AT_ONCE):
            changes.points.append(self._settle(columns[start : start + _AT_ONCE]))
        self._since[columns] = ram.AGES
        self._withdrawn.clear()
        for model_id, row in changes.latest.items():
            changes.latest[model_id] = row._replace(capped=self._capped_at_knot(row))

    def _settle(self, columns: Int) -> PointRows:
        points, downloads = (one.take(columns, axis=1) for one in (self.points, self.downloads))
        has_point = points >= 0
        last = np.where(has_point.any(axis=0), MAX_AGE_DAYS - has_point[::-1].argmax(axis=0), NULL)
        since = self._since[columns]
        values = capped(points, downloads, np.minimum(since, last))
        at_last = (last, np.arange(len(columns)))
        self._excess[columns] = np.where(
            values[at_last] >= 0, points[at_last] - values[at_last], NULL
        )
        written = (has_point | (downloads >= 0)) & (since <= _ALL_AGES)
        for ages, own in self._withdrawn:
            here = np.isin(own, columns)
            written[ages[here], np.searchsorted(columns, own[here])] = True
        age, model = np.nonzero(written)
        return PointRows(
            models=[self._ids[column] for column in columns.tolist()],
            model=model,
            age=age,
            cumulative=points[age, model],
            downloads=downloads[age, model],
            capped=values[age, model],
            as_of=self.day0[columns[model]] + age * DAY_MS,
        )

    def _capped_at_knot(self, row: LatestRow) -> int | None:
        """Return the downloads at the last knot less what was above the cap at the last point."""
        excess = int(self._excess[self.columns[row.model_id]])
        if row.day0 is None or row.observed_at is None or row.cumulative is None or excess < 0:
            return None
        too_old = row.observed_at - row.day0 > MAX_AGE_DAYS * DAY_MS
        return None if too_old else max(row.cumulative - excess, 0)

    def _is_new(self, row: LatestRow) -> bool:
        """Whether a row was computed from no older state than what is known of its model."""
        return row.basis >= self._basis.get(row.model_id, row.basis)

    def _replace(self, column: int, rows: DailyRows | None) -> int:
        """Replace all of a model's rows; None = it left the bin. Returns how many changed."""
        points, downloads = (np.full(ram.AGES, NULL, dtype=np.int64) for _ in range(2))
        if rows is not None:
            age = age_at_end(rows.day, self.day0[column])
            shown = (age >= 0) & (age < ram.AGES)
            points[age[shown]] = rows.cumulative[shown]
            downloads[age[shown]] = rows.downloads[shown]
        ages, columns = np.arange(ram.AGES), np.full(ram.AGES, column)
        return self._put(ages, columns, points, downloads)

    def _set_rows(self, rows: DailyRows, column: Int, taken: Flag) -> int:
        age = age_at_end(rows.day, self.day0[column])
        taken = taken & (age >= 0) & (age < ram.AGES)
        columns = (age, column, rows.cumulative, rows.downloads)
        return self._put(*(one[taken] for one in columns))

    def _put(self, age: Int, column: Int, cumulative: Int, downloads: Int) -> int:
        """Set entries of the matrices; returns how many changed.

        What a row may change are the capped values from its age on. A row that is there already
        counts, too: a worker may have ended after it wrote this one, and not those.
        """
        if not len(age):
            return 0
        np.minimum.at(self._since, column, age)
        differs = (self.points[age, column] != cumulative) | (
            self.downloads[age, column] != downloads
        )
        self.points[age, column] = cumulative
        self.downloads[age, column] = downloads
        self.stale_ages[age[differs]] = True
        gone = differs & (cumulative < 0) & (downloads < 0)
        if gone.any():
            self._withdrawn.append((age[gone], column[gone]))
        return int(differs.sum())

    def _set_models(self, columns: Int, rows: Sequence[LatestRow]) -> None:
        left = np.array([row.day0 is None for row in rows], dtype=bool)
        day0 = np.array([NULL if row.day0 is None else row.day0 for row in rows], dtype=np.int64)
        day0 = np.where(left, self.day0[columns], day0)
        tracked = np.array([row.tracked for row in rows], dtype=bool) & ~left
        moved = columns[(tracked != self.tracked[columns]) | (day0 != self.day0[columns])]
        self.stale_ages |= (self.points[:, moved] >= 0).any(axis=1)
        self.tracked[columns], self.day0[columns] = tracked, day0
        self.latest[columns] = [NULL if row.cumulative is None else row.cumulative for row in rows]
        self._basis.update((row.model_id, row.basis) for row in rows)

    def _column(self, model_id: str) -> int:
        column = self.columns.get(model_id)
        if column is None:
            column = self.columns[model_id] = len(self.columns)
            self._ids.append(model_id)
            if column >= len(self.day0):
                self._double()
        return column

    def _double(self) -> None:
        spare = np.full_like(self.day0, NULL)
        more = np.full_like(self.points, NULL)
        self.points = np.concatenate((self.points, more), axis=1)
        self.downloads = np.concatenate((self.downloads, more), axis=1)
        self.day0 = np.concatenate((self.day0, spare))
        self.latest = np.concatenate((self.latest, spare))
        self.tracked = np.concatenate((self.tracked, np.zeros_like(self.tracked)))
        self._excess = np.concatenate((self._excess, spare))
        self._since = np.concatenate((self._since, np.full_like(spare, ram.AGES)))


def _latest_rows(slice_: DailySlice) -> Iterator[LatestRow]:
    return map(
        LatestRow,
        slice_.models,
        [None if day is None else day_ms(day) for day in slice_.released_at],
        slice_.tracked,
        [None if at is None else to_ms(at) for at in slice_.knot_at],
        slice_.knot_cumulative,
        map(to_ms, slice_.registry_changed_at),
        slice_.known,
    )
