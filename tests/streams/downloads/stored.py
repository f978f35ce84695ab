"""The downloads state on dictionaries instead of ClickHouse: late, repeated and lost batches.

A table keeps the row with the greatest version of each key, of equal versions the last one written.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from breakout.core.arrays import NULL, Int
from breakout.core.counters import KNOTS
from breakout.core.counters import State as CounterState
from streams.columns import Columns
from streams.downloads import reads
from streams.downloads.history import Span, compute
from streams.downloads.restating import GridRows
from streams.downloads.slice_columns import SliceColumns
from streams.downloads.state import Result, State

Key = tuple[Any, ...]
CHANGES = (CounterState.FIRST, CounterState.RISE, CounterState.CORRECTION)


class Table:
    """A ReplacingMergeTree(version)."""

    def __init__(self) -> None:
        self._rows: dict[Key, tuple[int, tuple[int, ...] | None]] = {}

    def put(self, key: Key, version: int, row: tuple[int, ...] | None) -> None:
        """Write a row; None withdraws it."""
        known = self._rows.get(key)
        if known is None or known[0] <= version:
            self._rows[key] = (version, row)

    def final(self) -> dict[Key, tuple[int, ...]]:
        """Return the rows that count, by key."""
        return {key: row for key, (_, row) in self._rows.items() if row is not None}

    @property
    def version(self) -> int:
        """The greatest version."""
        return max((version for version, _ in self._rows.values()), default=0)


class Stored:
    """One partition: its tables and the state of the worker that has it."""

    def __init__(self) -> None:
        self.observations = Table()
        """By source, model and moment: raw, 30 days, likes, origin, state, correction, knot_since,
        knot_until, opening."""
        self.daily = Table()
        """By source, model and day: cumulative, downloads, correction, basis, known_at."""
        self.superseded = Table()
        """By source, model, day and known_at: the same columns and superseded_at."""
        self.origins: list[str] = []
        self.state = State()
        self.read = 0
        """Observations read back."""
        self._unwritten: Result | None = None

    def work(
        self, slices: Sequence[SliceColumns], *, crash: str = "", behind: bool = False
    ) -> Result:
        """Process a batch; `crash` loses the state after the "grid" or the "rows" are written.

        If it is `behind`, its rows are written only after the next batch is computed.
        """
        result = self.compute(slices)
        self.write()
        self._unwritten = result
        if crash == "grid":
            self.write_grid(result)
            self._unwritten = None
        if crash or not behind:
            self.write()
        if crash:
            self.restart()
        return result

    def write(self) -> None:
        """Write the rows of a batch that is behind."""
        if self._unwritten is not None:
            self.write_grid(self._unwritten)
            self.write_observations(self._unwritten)
        self._unwritten = None

    def compute(self, slices: Sequence[SliceColumns]) -> Result:
        """Return the changes of a batch, to write."""
        plan = self.state.plan(slices)
        restated = compute({0: self.state.restate(plan)}, lambda spans: {0: self._load(spans[0])})
        return self.state.apply(plan, restated[0])

    def restart(self) -> None:
        """Lose the state and restore it from the tables."""
        self.state = State()
        rows: dict[tuple[str, str], list[tuple[int, ...]]] = {}
        for (source, model, at), row in self.observations.final().items():
            rows.setdefault((source, model), []).append((at, *row))
        for (source, model), unsorted in rows.items():
            own = sorted(unsorted)
            slots = self.state.add_series(source, [model])
            columns = {name: np.array([value]) for name, value in _tail(own).items()}
            reads.restore(self.state, slots, columns)
        self.state.version = self.observations.version

    def _load(self, spans: Sequence[Span]) -> Columns:
        wanted = {(span.source, span.model_id): span for span in spans}
        rows = []
        for (source, model, at), row in self.observations.final().items():
            span = wanted.get((source, model))
            if span is not None and span.first_at <= at <= span.last_at:
                slot = int(self.state.add_series(source, [model])[0])
                raw, month, likes, origin = row[:4]
                name = self.origins[origin]
                rows.append((slot, at, raw, month, likes, self.state.index.origin(name)))
        self.read += len(rows)
        if not rows:
            return Columns.empty()
        columns = Columns(*np.array(rows, np.int64).T)
        return columns.take(np.lexsort((columns.at, columns.slot)))

    def _keys(self, result: Result, series: Int) -> list[tuple[str, str]]:
        models = result.models.to_pylist()
        return [(result.sources[result.source[one]], models[one]) for one in series.tolist()]

    def write_observations(self, result: Result) -> None:
        """Write observations with their states."""
        one = result.observed
        columns = one.columns
        origins = [self._origin(self.state.index.origins[n]) for n in columns.origin.tolist()]
        values = (
            columns.raw,
            columns.downloads_30d,
            columns.likes,
            np.array(origins, np.int64),
            one.state,
            one.correction,
            one.knot_since,
            one.knot_until,
            one.opening,
        )
        rows = zip(*(column.tolist() for column in values), strict=True)
        keys = self._keys(result, columns.slot)
        for key, at, row in zip(keys, columns.at.tolist(), rows, strict=True):
            self.observations.put((*key, at), result.version, row)

    def write_grid(self, result: Result) -> None:
        """Write rows of the grid, and those they replaced."""
        for rows, table in ((result.grid, self.daily), (result.superseded, self.superseded)):
            self._write_rows(result, rows, table)

    def _write_rows(self, result: Result, rows: GridRows, table: Table) -> None:
        grid = rows.rows
        columns = (grid.cumulative, grid.downloads, grid.correction, grid.basis, grid.known_at)
        values = zip(*(column.tolist() for column in columns), strict=True)
        keys = self._keys(result, grid.series)
        for place, (name, value) in enumerate(zip(keys, values, strict=True)):
            key: Key = (*name, int(grid.day[place]))
            row: tuple[int, ...] | None = value
            if table is self.superseded:
                key, row = (*key, value[-1]), (*value, int(rows.superseded_at[place]))
            table.put(key, result.version, None if rows.withdrawn[place] else row)

    def _origin(self, name: str) -> int:
        if name not in self.origins:
            self.origins.append(name)
        return self.origins.index(name)


def _tail(rows: Sequence[tuple[int, ...]]) -> dict[str, int]:
    """Return what ClickHouse's query returns of a series: at, raw, ..., state at place 5."""

    def last(*states: CounterState) -> int:
        return max((row[0] for row in rows if row[5] in states), default=NULL)

    counted = [row for row in rows if row[5] != NULL]
    knots = [row for row in counted if row[5] in KNOTS]
    return {
        "latest_at": rows[-1][0],
        "first_at": counted[0][0] if counted else NULL,
        "at": counted[-1][0] if counted else NULL,
        "raw": counted[-1][1] if counted else NULL,
        "changed_at": last(*CHANGES),
        "began_at": last(CounterState.FIRST),
        "knot_at": knots[-1][0] if knots else NULL,
        "knot_raw": knots[-1][1] if knots else NULL,
        "opening": knots[-1][-1] if knots else NULL,
        "fall_at": last(CounterState.CORRECTION),
        "held_at": last(CounterState.HELD),
        "rollback_at": last(CounterState.ROLLBACK),
    }
