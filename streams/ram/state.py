"""What the score processor knows of one size bin, and how points change its scores.

Nothing here does I/O. Everything but the points themselves is computed anew from them, so
baselines and breakouts are what a batch over all points would say; only what differs from
before is written.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from breakout.contract import PointsSlice
from breakout.contract.times import day_ms, to_ms
from breakout.core import ram
from breakout.core.ages import DAY_MS, MILESTONES
from breakout.core.breakouts import first_crossings
from breakout.core.series import NULL
from streams.columns import Flag, Int

Float = NDArray[np.float64]

ALL_AGES = np.arange(ram.AGES)


@dataclass(frozen=True)
class PointRows:
    """Rows of `points_log`; a cumulative of `NULL` takes the point back."""

    models: Sequence[str]
    model: Int
    """Index into `models` of each row."""
    age: Int
    cumulative: Int
    as_of: Int


class LatestRow(NamedTuple):
    """A row of `latest_log`; day0 None = the model left the bin."""

    model_id: str
    day0: int | None
    tracked: bool
    observed_at: int | None
    cumulative: int | None
    knowledge: tuple[int, int]
    """When the registry last changed the model (milliseconds UTC), and observations known."""


@dataclass(frozen=True)
class BaselineRow:
    """A row of `baselines_log`; without peers it takes the row back."""

    baseline: str
    age: int
    peers: int
    downloads: float | None
    as_of: int | None


@dataclass(frozen=True)
class Crossing:
    """A model's first crossing of 1.0x."""

    age: int
    ram: float
    crossed_at: int
    ended_at: int | None


@dataclass(frozen=True)
class CrossingRow:
    """A row of `breakouts_log`, and whether and how it is news."""

    baseline: str
    model_id: str
    crossing: Crossing
    status: str
    """crossed, ended or retracted."""


@dataclass
class Changes:
    """What a batch changes in one bin."""

    size_bin: str
    version: int
    points: list[PointRows] = field(default_factory=list)
    latest: dict[str, LatestRow] = field(default_factory=dict)
    """By model id."""
    baselines: list[BaselineRow] = field(default_factory=list)
    crossings: list[CrossingRow] = field(default_factory=list)


class BinState:
    """The points of one size bin, and the baselines and breakouts that follow from them."""

    def __init__(self, size_bin: str, min_age: int, max_age: int) -> None:
        self.size_bin = size_bin
        self.version = 0
        """Updates of points and latest values taken in: the version of the rows written next."""
        self._ages = (min_age, max_age)
        self._column: dict[str, int] = {}
        self._knowledge: dict[str, tuple[int, int]] = {}
        self._points = np.full((ram.AGES, 16), NULL, dtype=np.int64)
        self._day0 = np.full(16, NULL, dtype=np.int64)
        self._tracked = np.zeros(16, dtype=bool)
        self._latest = np.full(16, NULL, dtype=np.int64)
        self._baselines: dict[str, ram.Baseline] = {}
        self._tenth = np.full(ram.AGES, np.nan)
        self._crossings: dict[str, dict[str, Crossing]] = {}
        self._stale_ages = np.ones(ram.AGES, dtype=bool)
        # Where ClickHouse has something else than follows from the points, written by a worker
        # that ended before it wrote the points: ages by baseline, models by baseline.
        self._doubtful_ages: dict[str, NDArray[np.bool_]] = {}
        self._doubtful_models: dict[str, dict[str, Crossing]] = {}

    @property
    def models(self) -> int:
        """How many models the bin has, or had."""
        return len(self._column)

    def restore_models(self, rows: Sequence[LatestRow]) -> None:
        """Add models, each once, as ClickHouse has them."""
        columns = np.array([self._column_of(row.model_id) for row in rows], dtype=np.int64)
        self._set_models(columns, rows)

    def restore_points(self, model_ids: Sequence[str], ages: Int, cumulative: Int) -> None:
        """Add points as ClickHouse has them."""
        columns = [self._column_of(model_id) for model_id in model_ids]
        self._points[ages, columns] = cumulative

    def freeze(self, name: str, baseline: ram.Baseline) -> None:
        """Add a frozen baseline, one entry for each age."""
        self._baselines[name] = baseline

    @property
    def frozen(self) -> set[str]:
        """Names of the frozen baselines it has."""
        return set(self._baselines) - set(ram.BUILT_IN)

    def settle(self) -> None:
        """Compute what follows from restored points, as already written."""
        self.score(Changes(self.size_bin, self.version))

    def compare(
        self,
        baselines: Mapping[str, ram.Baseline],
        crossings: Mapping[str, Mapping[str, Crossing]],
    ) -> None:
        """Compare what was settled with what ClickHouse has, by baseline (and model).

        Where the two differ, the next `score` writes, whether or not the points move again.
        """
        for name in ram.BUILT_IN:
            written = baselines.get(name, _no_baseline())
            self._doubtful_ages[name] = ~_same(self._baselines[name], written)
        for name, settled in self._crossings.items():
            there = crossings.get(name, {})
            self._doubtful_models[name] = {
                model_id: there.get(model_id) or settled[model_id]
                for model_id in settled.keys() | there.keys()
                if settled.get(model_id) != there.get(model_id)
            }
        # What is written anew must win over what is there.
        self.version += 1

    def take(self, one: PointsSlice, changes: Changes) -> None:
        """Take in a slice of points; what it changes is added to `changes`."""
        columns = np.array([self._column_of(model_id) for model_id in one.models], dtype=np.int64)
        fresh = np.zeros(len(columns), dtype=bool)
        rows = []
        for index, row in enumerate(_latest_rows(one)):
            if row.knowledge < self._knowledge.get(row.model_id, row.knowledge):
                continue  # computed by a worker that knew less
            fresh[index] = True
            if one.reset[index]:
                self._forget_points(row.model_id, int(columns[index]), changes)
            rows.append(row)
        self._set_models(columns[fresh], rows)
        self.version += len(rows)
        changes.latest.update((row.model_id, row) for row in rows)
        self._take_points(one, columns, fresh, changes)
        changes.version = self.version

    def _take_points(self, one: PointsSlice, columns: Int, fresh: Flag, changes: Changes) -> None:
        model = np.array(one.point_model, dtype=np.int64)
        age = np.array(one.point_age, dtype=np.int64)
        cumulative = np.array(one.point_cumulative, dtype=np.int64)
        kept = fresh[model] & (self._points[age, columns[model]] != cumulative)
        model, age, cumulative = model[kept], age[kept], cumulative[kept]
        column = columns[model]
        self._points[age, column] = cumulative
        self._stale_ages[age] = True
        self.version += len(age)
        as_of = self._day0[column] + age * DAY_MS
        changes.points.append(PointRows(one.models, model, age, cumulative, as_of))

    def _forget_points(self, model_id: str, column: int, changes: Changes) -> None:
        ages = np.flatnonzero(self._points[:, column] >= 0)
        self._points[ages, column] = NULL
        self._stale_ages[ages] = True
        self.version += len(ages)
        changes.points.append(
            PointRows(
                [model_id],
                np.zeros_like(ages),
                ages,
                np.full_like(ages, NULL),
                self._day0[column] + ages * DAY_MS,
            )
        )

    def _set_models(self, columns: Int, rows: Sequence[LatestRow]) -> None:
        day0 = np.array([NULL if row.day0 is None else row.day0 for row in rows], dtype=np.int64)
        tracked = np.array([row.tracked for row in rows], dtype=bool) & (day0 != NULL)
        moved = columns[(tracked != self._tracked[columns]) | (day0 != self._day0[columns])]
        self._stale_ages |= (self._points[:, moved] >= 0).any(axis=1)
        self._tracked[columns], self._day0[columns] = tracked, day0
        self._latest[columns] = [NULL if row.cumulative is None else row.cumulative for row in rows]
        self._knowledge.update((row.model_id, row.knowledge) for row in rows)

    def score(self, changes: Changes) -> None:
        """Compute baselines and breakouts from the points; what differs goes to `changes`."""
        ids = sorted(self._column)
        columns = np.array([self._column[model_id] for model_id in ids], dtype=np.int64)
        points_moved = bool(self._stale_ages.any())
        moved = self._score_baselines(columns, changes)
        names = [
            name
            for name in self._baselines
            if points_moved
            or name in moved
            or name in self._doubtful_models
            or name not in self._crossings
        ]
        if not names:
            return  # most batches: later observations, and nobody a day older
        # Beyond the oldest point there is nothing to say; a breakout's ages are always looked at.
        oldest = int(np.flatnonzero((self._points >= 0).any(axis=1)).max(initial=self._ages[1]))
        points = self._points[: oldest + 1, columns]
        day0 = self._day0[columns]
        for name in names:
            scores = ram.ram(points, self._baselines[name].downloads[: oldest + 1])
            self._score_crossings(name, ids, day0, scores, changes)

    def _score_baselines(self, columns: Int, changes: Changes) -> set[str]:
        """Bring the built-in baselines up to date; return the names of those that moved."""
        peers = columns[self._tracked[columns]]
        day0 = self._day0[peers]
        before = self._baselines.get(ram.LIVE, _no_baseline())
        ages = np.flatnonzero(self._stale_ages)
        fresh, tenth = ram.live(self._points[np.ix_(ages, peers)], day0, ages)
        live = ram.Baseline(before.peers.copy(), before.downloads.copy(), before.as_of.copy())
        live.peers[ages], live.downloads[ages], live.as_of[ages] = (
            fresh.peers,
            fresh.downloads,
            fresh.as_of,
        )
        self._tenth[ages] = tenth
        at = np.array(MILESTONES)
        milestones = ram.Baseline(live.peers[at], live.downloads[at], live.as_of[at])
        now = {
            ram.LIVE: live,
            ram.LIVE_FIXED: ram.live_fixed(
                self._points[:, peers], day0, ALL_AGES, self._latest[peers]
            ),
            ram.LIVE_CUTOFF: ram.live_cutoff(milestones, self._tenth[at]),
        }
        names = set()
        for name, baseline in now.items():
            moved = ~_same(self._baselines.get(name, _no_baseline()), baseline)
            if moved.any():
                names.add(name)
            if name in self._doubtful_ages:
                moved |= self._doubtful_ages.pop(name)
            changes.baselines.extend(_rows(name, baseline, moved))
        self._baselines |= now
        self._stale_ages[:] = False
        return names

    def _score_crossings(
        self, name: str, ids: Sequence[str], day0: Int, scores: Float, changes: Changes
    ) -> None:
        found = first_crossings(scores, *self._ages)
        now = {}
        for model, age, value, ended in zip(
            found.model.tolist(),
            found.age.tolist(),
            found.ram.tolist(),
            found.ended_age.tolist(),
            strict=True,
        ):
            start = int(day0[model])
            now[ids[model]] = Crossing(
                age,
                value,
                start + age * DAY_MS,
                None if ended < 0 else start + ended * DAY_MS,
            )
        before = self._crossings.get(name, {})
        doubtful = self._doubtful_models.pop(name, {})
        for model_id, crossing in now.items():
            known = before.get(model_id)
            if known != crossing or model_id in doubtful:
                status = _status(known, crossing)
                changes.crossings.append(CrossingRow(name, model_id, crossing, status))
        gone = doubtful | before
        for model_id in gone.keys() - now.keys():
            changes.crossings.append(CrossingRow(name, model_id, gone[model_id], "retracted"))
        self._crossings[name] = now

    def _column_of(self, model_id: str) -> int:
        column = self._column.get(model_id)
        if column is None:
            column = self._column[model_id] = len(self._column)
            if column >= len(self._day0):
                self._grow()
        return column

    def _grow(self) -> None:
        def doubled(array: NDArray[np.generic], empty: int) -> NDArray[np.generic]:
            return np.concatenate((array, np.full_like(array, empty)), axis=-1)

        self._points = doubled(self._points, NULL).astype(np.int64, copy=False)
        self._day0 = doubled(self._day0, NULL).astype(np.int64, copy=False)
        self._tracked = doubled(self._tracked, 0).astype(bool, copy=False)
        self._latest = doubled(self._latest, NULL).astype(np.int64, copy=False)


def _latest_rows(one: PointsSlice) -> Iterator[LatestRow]:
    return map(
        LatestRow,
        one.models,
        [None if day is None else day_ms(day) for day in one.released_at],
        one.tracked,
        [None if moment is None else to_ms(moment) for moment in one.latest_at],
        one.latest_cumulative,
        zip(map(to_ms, one.scored_since), one.known, strict=True),
    )


def _status(before: Crossing | None, now: Crossing) -> str:
    if before is None:
        return "crossed"
    if before.ended_at is None and now.ended_at is not None:
        return "ended"
    return "crossed"


def _no_baseline() -> ram.Baseline:
    return ram.Baseline(
        np.zeros(ram.AGES, dtype=np.int64),
        np.full(ram.AGES, np.nan),
        np.full(ram.AGES, NULL, dtype=np.int64),
    )


def _same(one: ram.Baseline, other: ram.Baseline) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = (
        (one.peers == other.peers)
        & (one.as_of == other.as_of)
        & (
            (one.downloads == other.downloads)
            | (np.isnan(one.downloads) & np.isnan(other.downloads))
        )
    )
    return same


def _rows(name: str, now: ram.Baseline, picked: NDArray[np.bool_]) -> list[BaselineRow]:
    return [
        BaselineRow(
            name,
            age,
            int(now.peers[age]),
            None if np.isnan(now.downloads[age]) else float(now.downloads[age]),
            None if now.as_of[age] < 0 else int(now.as_of[age]),
        )
        for age in np.flatnonzero(picked).tolist()
    ]


def baseline_of(rows: Mapping[int, tuple[int, float | None, int | None]]) -> ram.Baseline:
    """Make a baseline of its rows: age -> (peers, downloads, as_of in milliseconds UTC)."""
    baseline = _no_baseline()
    for age, (peers, downloads, as_of) in rows.items():
        baseline.peers[age] = peers
        baseline.downloads[age] = np.nan if downloads is None else downloads
        baseline.as_of[age] = NULL if as_of is None else as_of
    return baseline
