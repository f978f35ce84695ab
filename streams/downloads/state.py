"""State of one partition of `breakout.downloads`, and how a batch changes it; no I/O.

A batch is first planned: its observations become sorted columns, and the plan lists the rows of
ClickHouse that it needs, if any. Then it is applied: the result holds everything to write.
Observations newer than all before need only this state; late ones are cleaned together with the
rows around them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from breakout.contract import ModelRecord
from breakout.core.ages import points_between
from breakout.core.arrays import NULL, Flag, Int
from breakout.core.series import clean
from breakout.core.times import day_ms, to_ms
from streams.columns import (
    Columns,
    concatenate,
    count_updates,
    first_of_key,
    index_of,
    last_of_slot,
    merge_equal_keys,
)
from streams.downloads.slice_columns import SliceColumns

RAM_SOURCE = "huggingface"
"""The source whose counters RAM is computed from."""

Scrape = tuple[str, int]
"""A scrape: its source and its observation time, milliseconds UTC."""


@dataclass(frozen=True)
class Late:
    """A series with an observation in the batch that is not newer than all earlier ones."""

    slot: int
    source: str
    model_id: str
    first_at: int
    last_at: int
    highest: int
    """Greatest raw counter in the batch: it may raise the cumulative of later rows."""


@dataclass(frozen=True)
class Cleaned:
    """The clean series of observations, `NULL` where null."""

    cumulative: Int
    delta: Int
    revision: Int
    standing: NDArray[np.int8]
    jump: Flag


@dataclass(frozen=True)
class History:
    """Rows around late observations as stored in ClickHouse, sorted by series and time."""

    columns: Columns
    cleaned: Cleaned


@dataclass
class ScrapeCount:
    """Observations of a scrape in this partition, and how many of them are unchanged."""

    models: int = 0
    compared: int = 0
    standing: int = 0
    complete: bool = True


@dataclass(frozen=True)
class Plan:
    """A batch as sorted columns, and what must be read before it is applied."""

    columns: Columns
    """Within a key in the order of arrival."""
    late: Sequence[Late]
    scrapes: frozenset[Scrape]
    incomplete: frozenset[Scrape]
    received: int


@dataclass(frozen=True)
class Rows:
    """Rows of `downloads_log` to write."""

    sources: Sequence[str]
    models: pa.StringArray
    """Model id of each series."""
    source: Int
    """Index into `sources` of each series."""
    series: Int
    """Index into `models` and `source` of each row; does not decrease."""
    columns: Columns
    cleaned: Cleaned
    version: int


@dataclass(frozen=True)
class BinPoints:
    """Points of models of one size bin, as `PointsSlice` has them."""

    models: Sequence[str]
    registry_changed_at: Sequence[int]
    """When the registry last changed the inputs of RAM, milliseconds UTC."""
    inputs: Sequence["RamInputs"]
    latest: Sequence[tuple[int, int] | None]
    """Time (ms UTC) and cumulative of the latest observation."""
    point_model: Int
    point_age: Int
    point_cumulative: Int
    observation_count: int


@dataclass(frozen=True)
class Result:
    """The changes of a batch: everything to write."""

    rows: Rows
    points: dict[str, BinPoints]
    scrapes: dict[Scrape, ScrapeCount]
    version: int
    new: int
    late: int
    duplicate: int


@dataclass(frozen=True)
class RamInputs:
    """Registry facts that RAM depends on; equal inputs mean equal points."""

    size_bin: str | None
    day0: int | None
    tracked: bool

    @classmethod
    def of(cls, record: ModelRecord) -> "RamInputs":
        """Return the inputs of a registry record."""
        day0 = None if record.released_at is None else day_ms(record.released_at)
        return cls(record.size_bin, day0, record.tracked)

    @property
    def has_points(self) -> bool:
        """Whether the model has a size bin and a release date."""
        return self.size_bin is not None and self.day0 is not None


@dataclass(frozen=True)
class Republished:
    """A model whose points must be published again, since the registry changed its inputs."""

    model_id: str
    left_bin: str | None
    """The size bin it has left, if any."""
    registry_changed_at: int
    inputs: RamInputs


@dataclass(frozen=True)
class _Registered:
    read_at: int
    registry_changed_at: int
    inputs: RamInputs


_EMPTY: Int = np.empty(0, dtype=np.int64)

_UNREGISTERED = _Registered(NULL, NULL, RamInputs(None, None, tracked=False))


class State:
    """State of one partition of `breakout.downloads`."""

    def __init__(self) -> None:
        self.version = 0
        """Distinct observations taken in: the version of the rows written next."""
        self.scrapes: dict[Scrape, ScrapeCount] = {}
        self.origins: list[str] = []
        self._registry: dict[str, _Registered] = {}
        self._slots: dict[str, dict[str, int]] = {}
        self._models: list[str] = []
        # The first of the models, or all, as an Arrow array.
        self._names = pa.array([], pa.string())
        self._newest: dict[str, int] = {}
        # Models and slots of the latest slice, by source and slice number.
        self._last_slices: dict[tuple[str, int], tuple[list[str], Int]] = {}
        # One entry per series: the latest observation, and the latest with a counter.
        self._latest_at = np.full(1024, NULL, dtype=np.int64)
        self._source = self._latest_at.copy()
        self._at, self._raw, self._cumulative = (self._latest_at.copy() for _ in range(3))
        # Day 0 of models that have points.
        self._day0 = self._latest_at.copy()

    def __len__(self) -> int:
        """Return the number of series (model and source)."""
        return len(self._models)

    @property
    def _sources(self) -> list[str]:
        """Sources by number."""
        return list(self._slots)

    # Restoring, and the registry.

    def restore(
        self, source: str, models: Sequence[str], latest_at: Int, at: Int, raw: Int, cumulative: Int
    ) -> None:
        """Add series of a source as stored in ClickHouse.

        Each has the time of its latest observation, and of the latest with a counter the time, raw
        counter and cumulative; `NULL` without any.
        """
        slot = self._add_series(source, models)
        self._latest_at[slot], self._at[slot] = latest_at, at
        self._raw[slot], self._cumulative[slot] = raw, cumulative
        newest = int(latest_at.max(initial=NULL))
        self._newest[source] = max(self._newest.get(source, NULL), newest)

    def restore_model(self, model_id: str, read_at: int, inputs: RamInputs) -> None:
        """Add a model of the registry as stored in ClickHouse; `read_at` in milliseconds UTC."""
        self._set_registered(model_id, _Registered(read_at, read_at, inputs))

    def register(self, records: Iterable[ModelRecord]) -> list[Republished]:
        """Take in registry records, newest first; return the models to publish again.

        Call it once the points of earlier batches are sent, and publish these before any later
        points: consumers order them by when the registry changed.
        """
        before: dict[str, RamInputs] = {}
        for record in records:
            known = self._registry.get(record.model_id, _UNREGISTERED)
            read_at = to_ms(record.observed_at)
            if known.read_at > read_at:
                continue
            before.setdefault(record.model_id, known.inputs)
            inputs = RamInputs.of(record)
            registry_changed_at = known.registry_changed_at if inputs == known.inputs else read_at
            self._set_registered(record.model_id, _Registered(read_at, registry_changed_at, inputs))
        return [
            Republished(
                model_id,
                old.size_bin if old.has_points and not _same_bin(old, now.inputs) else None,
                now.registry_changed_at,
                now.inputs,
            )
            for model_id, old in before.items()
            if (now := self._registry[model_id]).inputs != old
            and (old.has_points or now.inputs.has_points)
        ]

    def latest(self, model_id: str) -> tuple[int, int] | None:
        """Return (ms UTC, cumulative) of the model's latest observation that counts for RAM."""
        slot = self._slots.get(RAM_SOURCE, {}).get(model_id)
        if slot is None or self._at[slot] < 0:
            return None
        return int(self._at[slot]), int(self._cumulative[slot])

    # Planning.

    def plan(self, slices: Sequence[SliceColumns]) -> Plan:
        """Turn a batch's slices, in the order of the log, into sorted columns."""
        columns = self._gather(slices)
        at = columns.at
        if (at[1:] >= at[:-1]).all():  # scrapes ordered by time: sort by series only
            columns = columns.take(np.argsort(columns.slot, kind="stable"))
        else:
            columns = columns.take(np.lexsort((at, columns.slot)))
        late_slots = np.unique(columns.slot[columns.at <= self._latest_at[columns.slot]])
        scrapes = [(one.source, one.at) for one in slices]
        return Plan(
            columns=columns,
            late=list(self._late(columns, late_slots)),
            scrapes=frozenset(scrapes),
            incomplete=frozenset(
                scrape for scrape, one in zip(scrapes, slices, strict=True) if not one.complete
            ),
            received=sum(len(one.models) for one in slices),
        )

    def unknown_scrapes(self, plan: Plan, history: History | None) -> list[Scrape]:
        """Return the scrapes whose counts must be read before `apply`."""
        touched = set(plan.scrapes)
        if history is not None:
            names = self._sources
            sources = self._source[history.columns.slot].tolist()
            touched |= {
                (names[source], at)
                for source, at in zip(sources, history.columns.at.tolist(), strict=True)
            }
        return sorted(
            scrape
            for scrape in touched
            if scrape not in self.scrapes and scrape[1] <= self._newest.get(scrape[0], NULL)
        )

    def _gather(self, slices: Sequence[SliceColumns]) -> Columns:
        # All slices together: many of them may hold a single observation.
        lengths = [len(one.models) for one in slices]

        def column(of: Callable[[SliceColumns], Int]) -> Int:
            return np.concatenate([_EMPTY, *map(of, slices)])

        return Columns(
            column(self._slots_of),
            np.repeat(np.array([one.at for one in slices], dtype=np.int64), lengths),
            column(attrgetter("downloads_all_time")),
            column(attrgetter("downloads_30d")),
            column(attrgetter("likes")),
            np.repeat(
                np.array([self.origin(one.origin) for one in slices], dtype=np.int64), lengths
            ),
        )

    def _slots_of(self, one: SliceColumns) -> Int:
        """Return the slots of a slice's series; mostly those of the previous scrape."""
        place = (one.source, one.number)
        models, slots = self._last_slices.get(place, (None, _EMPTY))
        if one.models is models or one.models == models:
            return slots
        slots = self._add_series(one.source, one.models)
        # The state's strings, so that equal ones do not stay in memory too.
        one.models[:] = [self._models[slot] for slot in slots.tolist()]
        self._last_slices[place] = one.models, slots
        return slots

    def _late(self, columns: Columns, late_slots: Int) -> Iterable[Late]:
        lows = np.searchsorted(columns.slot, late_slots, side="left")
        highs = np.searchsorted(columns.slot, late_slots, side="right")
        names, sources = self._sources, self._source[late_slots].tolist()
        for slot, source, low, high in zip(late_slots.tolist(), sources, lows, highs, strict=True):
            yield Late(
                slot,
                names[source],
                self._models[slot],
                int(columns.at[low]),
                int(columns.at[high - 1]),
                int(columns.raw[low:high].max()),
            )

    # Applying.

    def apply(self, plan: Plan, history: History | None) -> Result:
        """Clean a batch and return its changes; `history` has the rows that `plan.late` needs."""
        merged = self._merge(plan, history)
        columns = merged.columns
        cleaned = _clean(columns, merged.floor)
        changed = merged.new | merged.altered | _restated(merged, cleaned, history)
        changed |= self._to_rewrite(merged)
        self.version += merged.updates
        self._update_latest(plan, columns, cleaned.cumulative)
        touched = self._count(plan, merged, cleaned, changed, history)
        late_slots = np.array([one.slot for one in plan.late], dtype=np.int64)
        late = int(np.isin(columns.slot[merged.new], late_slots).sum())
        return Result(
            rows=self._rows(columns, cleaned, np.flatnonzero(changed)),
            points=self._points(columns, cleaned.cumulative, changed),
            scrapes={scrape: self.scrapes[scrape] for scrape in touched},
            version=self.version,
            new=int(merged.new.sum()) - late,
            late=late,
            duplicate=plan.received - merged.updates,
        )

    def _to_rewrite(self, merged: "_Merged") -> Flag:
        """Return the known rows of series with new or changed observations.

        Another worker, killed or lagging, may have restated them from a part of this batch, so
        they are written again even if the complete batch does not change them.
        """
        changed = np.zeros(len(self._models), dtype=bool)
        changed[merged.columns.slot[merged.new | merged.altered]] = True
        return (merged.row >= 0) & ~merged.context & changed[merged.columns.slot]

    def _merge(self, plan: Plan, history: History | None) -> "_Merged":
        """Sort the batch, the history and the seeds by series and time, and merge equal keys.

        The seed of a series that is not late is its latest earlier observation.
        """
        late = np.array([one.slot for one in plan.late], dtype=np.int64)
        ends = last_of_slot(plan.columns.slot)
        slots = plan.columns.slot[ends]
        seeded = slots[(self._at[slots] >= 0) & ~np.isin(slots, late, assume_unique=True)]
        nulls = np.full(len(seeded), NULL, dtype=np.int64)
        seeds = Columns(
            seeded, self._at[seeded], self._raw[seeded], nulls, nulls, np.zeros_like(seeded)
        )
        old = Columns.empty() if history is None else history.columns
        parts = (old, seeds, plan.columns)
        n_old, n_seeds, n_new = (len(part.slot) for part in parts)
        floor = np.concatenate(
            (
                old.raw if history is None else history.cleaned.cumulative,
                self._cumulative[seeded],
                np.full(n_new, NULL, dtype=np.int64),
            )
        )
        row = np.concatenate((np.arange(n_old), np.full(n_seeds + n_new, NULL)))
        new = np.repeat((False, False, True), (n_old, n_seeds, n_new))
        seed = np.repeat((False, True, False), (n_old, n_seeds, n_new))

        both = concatenate(parts)
        if history is None:
            # Each seed precedes its series: the order is known.
            place = np.searchsorted(plan.columns.slot, seeded)
            order = np.insert(np.arange(n_seeds, len(new)), place, np.arange(n_seeds))
        else:
            order = np.lexsort((new, both.at, both.slot))
        both, floor, row, new, seed = (
            both.take(order),
            floor[order],
            row[order],
            new[order],
            seed[order],
        )
        begins = first_of_key(both)
        merged = merge_equal_keys(both, begins, self.origins)
        starts = index_of(begins)
        known = row[starts] >= 0
        altered = known & (
            (merged.raw != both.raw[starts])
            | (merged.downloads_30d != both.downloads_30d[starts])
            | (merged.likes != both.likes[starts])
            | (merged.origin != both.origin[starts])
        )
        first_at = np.zeros(len(self._models), dtype=np.int64)
        first_at[late] = [one.first_at for one in plan.late]
        # The row before the first late observation is context: its counters are read only.
        context = seed[starts] | (known & (merged.at < first_at[merged.slot]))
        updates = int(new[starts].sum()) + count_updates(both, begins, self.origins)
        return _Merged(merged, floor[starts], row[starts], new[starts], altered, context, updates)

    def _update_latest(self, plan: Plan, columns: Columns, cumulative: Int) -> None:
        for source, at in plan.scrapes:
            self._newest[source] = max(self._newest.get(source, NULL), at)
        last = last_of_slot(columns.slot)
        slot = columns.slot[last]
        self._latest_at[slot] = np.maximum(self._latest_at[slot], columns.at[last])
        counted = np.flatnonzero(columns.raw >= 0)
        last = last_of_slot(columns.slot[counted])
        counted = counted[last]
        newer = counted[columns.at[counted] >= self._at[columns.slot[counted]]]
        slot = columns.slot[newer]
        self._at[slot], self._raw[slot] = columns.at[newer], columns.raw[newer]
        self._cumulative[slot] = cumulative[newer]

    def _count(
        self,
        plan: Plan,
        merged: "_Merged",
        cleaned: Cleaned,
        changed: Flag,
        history: History | None,
    ) -> set[Scrape]:
        """Update the counts of scrapes; return the scrapes that were touched."""
        picked = np.flatnonzero(changed)
        compared = (cleaned.standing[picked] >= 0).astype(np.int64)
        standing = (cleaned.standing[picked] == 1).astype(np.int64)
        if history is not None:
            row = merged.row[picked]
            known = row >= 0
            before = history.cleaned.standing[row[known]]
            compared[known] -= before >= 0
            standing[known] -= before == 1
        sources = self._sources
        keys = merged.columns.at[picked] * len(sources)
        keys += self._source[merged.columns.slot[picked]]
        if history is None:
            # All rows belong to the batch's own scrapes: the order is known.
            numbers = (at * len(sources) + sources.index(source) for source, at in plan.scrapes)
            scrapes = np.array(sorted(numbers), dtype=np.int64)
            index = np.searchsorted(scrapes, keys)
        else:
            scrapes, index = np.unique(keys, return_inverse=True)
        sums = [
            np.bincount(index, weights=column, minlength=len(scrapes)).astype(np.int64).tolist()
            for column in (merged.new[picked], compared, standing)
        ]
        touched = set(plan.scrapes)
        for key, models, compared_count, unchanged in zip(scrapes.tolist(), *sums, strict=True):
            at, number = divmod(key, len(sources))
            count = self.scrapes.setdefault((sources[number], at), ScrapeCount())
            count.models += models
            count.compared += compared_count
            count.standing += unchanged
            touched.add((sources[number], at))
        for scrape in plan.scrapes:
            count = self.scrapes.setdefault(scrape, ScrapeCount())
            count.complete = count.complete and scrape not in plan.incomplete
        return touched

    def _rows(self, columns: Columns, cleaned: Cleaned, picked: Int) -> Rows:
        slot = columns.slot[picked]
        begins = np.ones(len(slot), dtype=bool)
        begins[1:] = slot[1:] != slot[:-1]
        slots, series = slot[begins], np.cumsum(begins) - 1
        return Rows(
            sources=self._sources,
            models=self._names_of(slots),
            source=self._source[slots],
            series=series,
            columns=columns.take(picked),
            cleaned=Cleaned(
                cleaned.cumulative[picked],
                cleaned.delta[picked],
                cleaned.revision[picked],
                cleaned.standing[picked],
                cleaned.jump[picked],
            ),
            version=self.version,
        )

    def _names_of(self, slots: Int) -> pa.StringArray:
        if len(self._names) < len(self._models):
            new = pa.array(self._models[len(self._names) :], pa.string())
            self._names = pa.concat_arrays([self._names, new])
        return self._names.take(pa.array(slots))

    def _points(self, columns: Columns, cumulative: Int, changed: Flag) -> dict[str, BinPoints]:
        """Return the points between two observations of which one changed."""
        counted = index_of(columns.raw >= 0)
        slot, at, total = columns.slot[counted], columns.at[counted], cumulative[counted]
        changed = changed[counted]
        follows = np.zeros(len(slot), dtype=bool)
        follows[1:] = slot[1:] == slot[:-1]
        moved = changed.copy()
        moved[1:] |= changed[:-1] & follows[1:]
        rows = np.flatnonzero(moved & (self._day0[slot] != NULL))
        registered = {
            number: self._registry[self._models[number]]
            for number in np.unique(slot[rows]).tolist()
        }
        points = points_between(
            self._day0[slot[rows]],
            np.where(follows[rows], at[rows - 1], NULL),
            np.where(follows[rows], total[rows - 1], NULL),
            at[rows],
            total[rows],
        )
        point_slot = slot[rows][points.row]
        by_bin: dict[str, list[int]] = {}
        for number, one in registered.items():
            by_bin.setdefault(str(one.inputs.size_bin), []).append(number)
        result = {}
        for size_bin, numbers in by_bin.items():
            slots = np.array(numbers, dtype=np.int64)
            inside = np.isin(point_slot, slots)
            models = [self._models[number] for number in numbers]
            result[size_bin] = BinPoints(
                models=models,
                registry_changed_at=[registered[number].registry_changed_at for number in numbers],
                inputs=[registered[number].inputs for number in numbers],
                latest=[self.latest(model_id) for model_id in models],
                point_model=np.searchsorted(slots, point_slot[inside]),
                point_age=points.age[inside],
                point_cumulative=points.cumulative[inside],
                observation_count=self.version,
            )
        return result

    def points_of(self, republished: Republished, at: Int, cumulative: Int) -> BinPoints:
        """Return all points of a model, from all its observations with a counter."""
        inputs = republished.inputs
        before = np.concatenate(([NULL], at[:-1])), np.concatenate(([NULL], cumulative[:-1]))
        day0 = np.full(len(at), 0 if inputs.day0 is None else inputs.day0, dtype=np.int64)
        points = points_between(day0, before[0][: len(at)], before[1][: len(at)], at, cumulative)
        return BinPoints(
            models=[republished.model_id],
            registry_changed_at=[republished.registry_changed_at],
            inputs=[inputs],
            latest=[self.latest(republished.model_id)],
            point_model=np.zeros(len(points.age), dtype=np.int64),
            point_age=points.age,
            point_cumulative=points.cumulative,
            observation_count=self.version,
        )

    def origin(self, name: str) -> int:
        """Return the number of an origin, which is added if it is new."""
        if name not in self.origins:
            self.origins.append(name)
        return self.origins.index(name)

    def slot(self, source: str, model_id: str) -> int:
        """Return the slot of a series. Raises `KeyError` if it is unknown."""
        return self._slots[source][model_id]

    def _set_registered(self, model_id: str, registered: _Registered) -> None:
        self._registry[model_id] = registered
        slot = self._slots.get(RAM_SOURCE, {}).get(model_id)
        if slot is not None:
            self._day0[slot] = _day0_of_points(registered)

    def _add_series(self, source: str, models: Sequence[str]) -> Int:
        """Return the slots of a source's series; new series are added."""
        known = self._slots.setdefault(source, {})
        new = [model_id for model_id in models if model_id not in known]
        if new:
            first, end = len(self._models), len(self._models) + len(new)
            known.update(zip(new, range(first, end), strict=True))
            self._models += new
            while end > len(self._at):
                self._grow()
            self._source[first:end] = self._sources.index(source)
            if source == RAM_SOURCE:
                registered = (self._registry.get(model_id, _UNREGISTERED) for model_id in new)
                self._day0[first:end] = list(map(_day0_of_points, registered))
        return np.array([known[model_id] for model_id in models], dtype=np.int64)

    def _grow(self) -> None:
        more = np.full(len(self._at), NULL, dtype=np.int64)
        self._source = np.concatenate((self._source, more))
        self._latest_at = np.concatenate((self._latest_at, more))
        self._at = np.concatenate((self._at, more))
        self._raw = np.concatenate((self._raw, more))
        self._cumulative = np.concatenate((self._cumulative, more))
        self._day0 = np.concatenate((self._day0, more))


@dataclass(frozen=True)
class _Merged:
    """Batch, history and seeds, one entry per key, sorted by series and time."""

    columns: Columns
    floor: Int
    row: Int
    """Index of the row in the history, NULL if it is not from there."""
    new: Flag
    """Not known before."""
    altered: Flag
    """Known before, with smaller counts."""
    context: Flag
    """Read for its counters only; never written."""
    updates: int
    """Observations that changed something, however the log is cut into batches."""


def _day0_of_points(registered: _Registered) -> int:
    inputs = registered.inputs
    return NULL if inputs.day0 is None or inputs.size_bin is None else inputs.day0


def _same_bin(one: RamInputs, other: RamInputs) -> bool:
    return other.has_points and one.size_bin == other.size_bin


def _clean(columns: Columns, floor: Int) -> Cleaned:
    counted = index_of(columns.raw >= 0)
    series = clean(columns.slot[counted], columns.raw[counted], floor[counted])

    def spread(values: NDArray[Any], absent: int) -> NDArray[Any]:
        column = np.full(len(columns.raw), absent, dtype=values.dtype)
        column[counted] = values
        return column

    return Cleaned(
        cumulative=spread(series.cumulative, NULL),
        delta=spread(series.delta, NULL),
        revision=spread(series.revision, NULL),
        standing=spread(series.standing, NULL),
        jump=spread(series.jump, 0),
    )


def _restated(merged: _Merged, cleaned: Cleaned, history: History | None) -> Flag:
    """Return the known rows whose clean values changed."""
    restated = np.zeros(len(merged.row), dtype=bool)
    if history is None:
        return restated
    known = np.flatnonzero((merged.row >= 0) & ~merged.context)
    row, before = merged.row[known], history.cleaned
    restated[known] = (
        (cleaned.cumulative[known] != before.cumulative[row])
        | (cleaned.delta[known] != before.delta[row])
        | (cleaned.revision[known] != before.revision[row])
        | (cleaned.standing[known] != before.standing[row])
        | (cleaned.jump[known] != before.jump[row])
    )
    return restated
