"""What the downloads processor knows of one partition, and how a batch changes it.

Nothing here does I/O. A batch is first planned: its observations become sorted columns, and
the plan says which rows of ClickHouse it needs, if any. Then it is applied: the result holds
everything to write. Observations newer than all before need nothing but this state; late ones
are cleaned together with the rows around them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from breakout.contract import ModelRecord
from breakout.contract.times import day_ms, to_ms
from breakout.core.ages import points_between
from breakout.core.series import NULL, clean
from streams.columns import (
    Columns,
    Flag,
    Int,
    concatenate,
    first_of_key,
    last_of_slot,
    lessons,
    merge_equal_keys,
    those,
)
from streams.downloads.slice_columns import SliceColumns

SCORED_SOURCE = "huggingface"
"""Whose counters RAM is made of."""

Scrape = tuple[str, int]
"""A scrape: its source and its moment, milliseconds UTC."""


@dataclass(frozen=True)
class Late:
    """A series with an observation in the batch that is not newer than all known ones."""

    slot: int
    source: str
    model_id: str
    first_at: int
    last_at: int
    highest: int
    """Greatest raw counter in the batch: what may lift the cumulative of later rows."""


@dataclass(frozen=True)
class Cleaned:
    """The clean series of some observations, `NULL` where null."""

    cumulative: Int
    delta: Int
    revision: Int
    standing: NDArray[np.int8]
    jump: Flag


@dataclass(frozen=True)
class History:
    """Rows around late observations as ClickHouse has them, sorted by series and time."""

    columns: Columns
    cleaned: Cleaned


@dataclass
class ScrapeCount:
    """How many observations of a scrape this partition has, and how many stood still."""

    models: int = 0
    compared: int = 0
    standing: int = 0
    complete: bool = True


@dataclass(frozen=True)
class Plan:
    """A batch as sorted columns, and what must be read before it can be applied."""

    columns: Columns
    """Those with one key are in the order they came."""
    late: Sequence[Late]
    scrapes: frozenset[Scrape]
    incomplete: frozenset[Scrape]
    received: int


@dataclass(frozen=True)
class Rows:
    """Rows of `downloads_log` to write."""

    sources: Sequence[str]
    models: pa.StringArray
    """Of each series."""
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
    since: Sequence[int]
    """When the registry last changed what scoring needs, milliseconds UTC."""
    scored: Sequence["Scored"]
    latest: Sequence[tuple[int, int] | None]
    """Moment and cumulative of the latest observation."""
    point_model: Int
    point_age: Int
    point_cumulative: Int
    known: int


@dataclass(frozen=True)
class Result:
    """What a batch changes."""

    rows: Rows
    points: dict[str, BinPoints]
    scrapes: dict[Scrape, ScrapeCount]
    version: int
    new: int
    late: int
    duplicate: int


@dataclass(frozen=True)
class Scored:
    """What scoring needs to know of a model; equal values mean equal points."""

    size_bin: str | None
    day0: int | None
    tracked: bool

    @classmethod
    def of(cls, record: ModelRecord) -> "Scored":
        """Take it from a registry record."""
        day0 = None if record.released_at is None else day_ms(record.released_at)
        return cls(record.size_bin, day0, record.tracked)

    @property
    def has_points(self) -> bool:
        """Whether the model has a size bin and a release date."""
        return self.size_bin is not None and self.day0 is not None


@dataclass(frozen=True)
class Rescored:
    """A model whose points must be made anew, since the registry says something else of it."""

    model_id: str
    left_bin: str | None
    """The size bin it is no longer in, if any."""
    since: int
    scored: Scored


@dataclass(frozen=True)
class _Registered:
    read_at: int
    since: int
    scored: Scored


_EMPTY: Int = np.empty(0, dtype=np.int64)

_UNREGISTERED = _Registered(NULL, NULL, Scored(None, None, tracked=False))


class State:
    """Everything known of one partition of `breakout.downloads`."""

    def __init__(self) -> None:
        self.revision = 0
        """Distinct observations known: the version of the rows written next."""
        self.scrapes: dict[Scrape, ScrapeCount] = {}
        self.origins: list[str] = []
        self._registry: dict[str, _Registered] = {}
        self._slots: dict[str, dict[str, int]] = {}
        self._models: list[str] = []
        # The first of them, maybe all, as Arrow has them.
        self._names = pa.array([], pa.string())
        self._newest: dict[str, int] = {}
        # Of the latest slice with each number: its models, and their series.
        self._alike: dict[tuple[str, int], tuple[list[str], Int]] = {}
        # One entry a series: the latest observation at all, and the latest with a counter.
        self._seen_at = np.full(1024, NULL, dtype=np.int64)
        self._source = self._seen_at.copy()
        self._at, self._raw, self._cumulative = (self._seen_at.copy() for _ in range(3))
        # Day 0 of those that have points.
        self._day0 = self._seen_at.copy()

    @property
    def series(self) -> int:
        """How many series (model and source) are known."""
        return len(self._models)

    @property
    def _sources(self) -> list[str]:
        """Names of the sources by their numbers."""
        return list(self._slots)

    # Restoring, and the registry.

    def restore(
        self, source: str, models: Sequence[str], seen_at: Int, at: Int, raw: Int, cumulative: Int
    ) -> None:
        """Add series of a source as ClickHouse has them: the latest observation of each at all,
        and the latest with a counter, its raw counter and cumulative, `NULL`s where none has one.
        """
        slot = self._numbered(source, models)
        self._seen_at[slot], self._at[slot] = seen_at, at
        self._raw[slot], self._cumulative[slot] = raw, cumulative
        newest = int(seen_at.max(initial=NULL))
        self._newest[source] = max(self._newest.get(source, NULL), newest)

    def restore_model(self, model_id: str, read_at: int, scored: Scored) -> None:
        """Add a model as ClickHouse's registry has it; `read_at` in milliseconds UTC."""
        self._enter(model_id, _Registered(read_at, read_at, scored))

    def register(self, records: Iterable[ModelRecord]) -> list[Rescored]:
        """Take in registry records, the newest wins; return whose points must be made anew.

        Call it when the points made so far are on their way, and publish those made anew
        before any later ones: readers tell them apart by when the registry changed.
        """
        before: dict[str, Scored] = {}
        for record in records:
            known = self._registry.get(record.model_id, _UNREGISTERED)
            read_at = to_ms(record.observed_at)
            if known.read_at > read_at:
                continue
            before.setdefault(record.model_id, known.scored)
            scored = Scored.of(record)
            since = known.since if scored == known.scored else read_at
            self._enter(record.model_id, _Registered(read_at, since, scored))
        return [
            Rescored(
                model_id,
                old.size_bin if old.has_points and not _same_bin(old, now.scored) else None,
                now.since,
                now.scored,
            )
            for model_id, old in before.items()
            if (now := self._registry[model_id]).scored != old
            and (old.has_points or now.scored.has_points)
        ]

    def latest(self, model_id: str) -> tuple[int, int] | None:
        """Return (moment, cumulative) of the model's latest observation that counts for RAM."""
        slot = self._slots.get(SCORED_SOURCE, {}).get(model_id)
        if slot is None or self._at[slot] < 0:
            return None
        return int(self._at[slot]), int(self._cumulative[slot])

    # Planning.

    def plan(self, slices: Sequence[SliceColumns]) -> Plan:
        """Turn a batch's slices, in the order of the log, into sorted columns."""
        columns = self._gather(slices)
        at = columns.at
        if (at[1:] >= at[:-1]).all():  # scrapes in the order of time: series alone are sorted
            columns = columns.take(np.argsort(columns.slot, kind="stable"))
        else:
            columns = columns.take(np.lexsort((at, columns.slot)))
        late_slots = np.unique(columns.slot[columns.at <= self._seen_at[columns.slot]])
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
        """Return the scrapes whose counts must be read (`restore_scrape`) before `apply`."""
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
        # All slices in one go: many of them may hold one observation each.
        long = [len(one.models) for one in slices]

        def column(of: Callable[[SliceColumns], Int]) -> Int:
            return np.concatenate([_EMPTY, *map(of, slices)])

        return Columns(
            column(self._slots_of),
            np.repeat(np.array([one.at for one in slices], dtype=np.int64), long),
            column(attrgetter("downloads_all_time")),
            column(attrgetter("downloads_30d")),
            column(attrgetter("likes")),
            np.repeat(np.array([self.origin(one.origin) for one in slices], dtype=np.int64), long),
        )

    def _slots_of(self, one: SliceColumns) -> Int:
        """Return the numbers of a slice's series; a scrape mostly names those of the one before."""
        place = (one.source, one.number)
        models, slots = self._alike.get(place, (None, _EMPTY))
        if one.models is models or one.models == models:
            return slots
        slots = self._numbered(one.source, one.models)
        # The state's own strings: equal ones would stay in memory beside them.
        one.models[:] = [self._models[slot] for slot in slots.tolist()]
        self._alike[place] = one.models, slots
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
        """Clean a batch and return what it changes. `history` has the rows `plan.late` needs."""
        merged = self._merge(plan, history)
        columns = merged.columns
        cleaned = _clean(columns, merged.floor)
        changed = merged.new | merged.altered | _restated(merged, cleaned, history)
        changed |= self._doubtful(merged)
        self.revision += merged.learned
        self._remember(plan, columns, cleaned.cumulative)
        touched = self._count(plan, merged, cleaned, changed, history)
        late_slots = np.array([one.slot for one in plan.late], dtype=np.int64)
        late = int(np.isin(columns.slot[merged.new], late_slots).sum())
        return Result(
            rows=self._rows(columns, cleaned, np.flatnonzero(changed)),
            points=self._points(columns, cleaned.cumulative, changed),
            scrapes={scrape: self.scrapes[scrape] for scrape in touched},
            version=self.revision,
            new=int(merged.new.sum()) - late,
            late=late,
            duplicate=plan.received - merged.learned,
        )

    def _doubtful(self, merged: "_Merged") -> Flag:
        """Return the known rows of series that learned something.

        Another worker, killed or lagging, may have restated them from a part of this batch:
        they are written again even where the whole batch leaves them as they were.
        """
        learned = np.zeros(len(self._models), dtype=bool)
        learned[merged.columns.slot[merged.new | merged.altered]] = True
        return (merged.row >= 0) & ~merged.context & learned[merged.columns.slot]

    def _merge(self, plan: Plan, history: History | None) -> "_Merged":
        """Sort the batch, the history, and the seeds of its series into one run a series.

        A seed is the latest known observation of a series that is not late.
        """
        late = np.array([one.slot for one in plan.late], dtype=np.int64)
        ends = last_of_slot(plan.columns.slot)
        slots = plan.columns.slot[ends]
        seeded = slots[(self._at[slots] >= 0) & ~np.isin(slots, late, assume_unique=True)]
        unsaid = np.full(len(seeded), NULL, dtype=np.int64)
        seeds = Columns(
            seeded, self._at[seeded], self._raw[seeded], unsaid, unsaid, np.zeros_like(seeded)
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
            # Each seed precedes all of its series: nothing is left to sort.
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
        starts = those(begins)
        known = row[starts] >= 0
        altered = known & (
            (merged.raw != both.raw[starts])
            | (merged.downloads_30d != both.downloads_30d[starts])
            | (merged.likes != both.likes[starts])
            | (merged.origin != both.origin[starts])
        )
        first_at = np.zeros(len(self._models), dtype=np.int64)
        first_at[late] = [one.first_at for one in plan.late]
        # The row before the first late observation only lends its counters.
        context = seed[starts] | (known & (merged.at < first_at[merged.slot]))
        learned = int(new[starts].sum()) + lessons(both, begins, self.origins)
        return _Merged(merged, floor[starts], row[starts], new[starts], altered, context, learned)

    def _remember(self, plan: Plan, columns: Columns, cumulative: Int) -> None:
        for source, at in plan.scrapes:
            self._newest[source] = max(self._newest.get(source, NULL), at)
        last = last_of_slot(columns.slot)
        slot = columns.slot[last]
        self._seen_at[slot] = np.maximum(self._seen_at[slot], columns.at[last])
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
        """Bring the counts of scrapes up to date; return those that were touched."""
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
            # All of them are of the batch's own scrapes: nothing is left to sort.
            own = (at * len(sources) + sources.index(source) for source, at in plan.scrapes)
            scrapes = np.array(sorted(own), dtype=np.int64)
            index = np.searchsorted(scrapes, keys)
        else:
            scrapes, index = np.unique(keys, return_inverse=True)
        sums = [
            np.bincount(index, weights=column, minlength=len(scrapes)).astype(np.int64).tolist()
            for column in (merged.new[picked], compared, standing)
        ]
        touched = set(plan.scrapes)
        for key, models, comparing, still in zip(scrapes.tolist(), *sums, strict=True):
            at, number = divmod(key, len(sources))
            count = self.scrapes.setdefault((sources[number], at), ScrapeCount())
            count.models += models
            count.compared += comparing
            count.standing += still
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
            version=self.revision,
        )

    def _names_of(self, slots: Int) -> pa.StringArray:
        if len(self._names) < len(self._models):
            new = pa.array(self._models[len(self._names) :], pa.string())
            self._names = pa.concat_arrays([self._names, new])
        return self._names.take(pa.array(slots))

    def _points(self, columns: Columns, cumulative: Int, changed: Flag) -> dict[str, BinPoints]:
        """Return the points that lie between observations of which one changed."""
        counted = those(columns.raw >= 0)
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
            by_bin.setdefault(str(one.scored.size_bin), []).append(number)
        result = {}
        for size_bin, numbers in by_bin.items():
            own = np.array(numbers, dtype=np.int64)
            inside = np.isin(point_slot, own)
            models = [self._models[number] for number in numbers]
            result[size_bin] = BinPoints(
                models=models,
                since=[registered[number].since for number in numbers],
                scored=[registered[number].scored for number in numbers],
                latest=[self.latest(model_id) for model_id in models],
                point_model=np.searchsorted(own, point_slot[inside]),
                point_age=points.age[inside],
                point_cumulative=points.cumulative[inside],
                known=self.revision,
            )
        return result

    def points_of(self, rescored: Rescored, at: Int, cumulative: Int) -> BinPoints:
        """Return all points of one model, from all its observations that have a counter."""
        scored = rescored.scored
        before = np.concatenate(([NULL], at[:-1])), np.concatenate(([NULL], cumulative[:-1]))
        day0 = np.full(len(at), 0 if scored.day0 is None else scored.day0, dtype=np.int64)
        points = points_between(day0, before[0][: len(at)], before[1][: len(at)], at, cumulative)
        return BinPoints(
            models=[rescored.model_id],
            since=[rescored.since],
            scored=[scored],
            latest=[self.latest(rescored.model_id)],
            point_model=np.zeros(len(points.age), dtype=np.int64),
            point_age=points.age,
            point_cumulative=points.cumulative,
            known=self.revision,
        )

    def origin(self, name: str) -> int:
        """Return the number of an origin."""
        if name not in self.origins:
            self.origins.append(name)
        return self.origins.index(name)

    def slot(self, source: str, model_id: str) -> int:
        """Return the number of a known series; KeyError if it is not."""
        return self._slots[source][model_id]

    def _enter(self, model_id: str, registered: _Registered) -> None:
        self._registry[model_id] = registered
        slot = self._slots.get(SCORED_SOURCE, {}).get(model_id)
        if slot is not None:
            self._day0[slot] = _day0_of_points(registered)

    def _numbered(self, source: str, models: Sequence[str]) -> Int:
        """Return the numbers of a source's series; those not known yet get the next ones."""
        known = self._slots.setdefault(source, {})
        new = [model_id for model_id in models if model_id not in known]
        if new:
            first, end = len(self._models), len(self._models) + len(new)
            known.update(zip(new, range(first, end), strict=True))
            self._models += new
            while end > len(self._at):
                self._grow()
            self._source[first:end] = self._sources.index(source)
            if source == SCORED_SOURCE:
                registered = (self._registry.get(model_id, _UNREGISTERED) for model_id in new)
                self._day0[first:end] = list(map(_day0_of_points, registered))
        return np.array([known[model_id] for model_id in models], dtype=np.int64)

    def _grow(self) -> None:
        more = np.full(len(self._at), NULL, dtype=np.int64)
        self._source = np.concatenate((self._source, more))
        self._seen_at = np.concatenate((self._seen_at, more))
        self._at = np.concatenate((self._at, more))
        self._raw = np.concatenate((self._raw, more))
        self._cumulative = np.concatenate((self._cumulative, more))
        self._day0 = np.concatenate((self._day0, more))


@dataclass(frozen=True)
class _Merged:
    """Batch, history and seeds, one entry a key, sorted by series and time."""

    columns: Columns
    floor: Int
    row: Int
    """Index of the row in the history, NULL if it is not from there."""
    new: Flag
    """Not known before."""
    altered: Flag
    """Known before, with smaller counts."""
    context: Flag
    """Only lends its counters to those after it; never written."""
    learned: int
    """Observations that said something new, however the log is cut into batches."""


def _day0_of_points(registered: _Registered) -> int:
    scored = registered.scored
    return NULL if scored.day0 is None or scored.size_bin is None else scored.day0


def _same_bin(one: Scored, other: Scored) -> bool:
    return other.has_points and one.size_bin == other.size_bin


def _clean(columns: Columns, floor: Int) -> Cleaned:
    counted = those(columns.raw >= 0)
    series = clean(columns.slot[counted], columns.raw[counted], floor[counted])

    def spread(values: NDArray[Any], absent: int) -> NDArray[Any]:
        whole = np.full(len(columns.raw), absent, dtype=values.dtype)
        whole[counted] = values
        return whole

    return Cleaned(
        cumulative=spread(series.cumulative, NULL),
        delta=spread(series.delta, NULL),
        revision=spread(series.revision, NULL),
        standing=spread(series.standing, NULL),
        jump=spread(series.jump, 0),
    )


def _restated(merged: _Merged, cleaned: Cleaned, history: History | None) -> Flag:
    """Return which known rows mean something else now."""
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
