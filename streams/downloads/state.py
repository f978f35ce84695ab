"""State of one partition of `breakout.downloads`, and how a batch changes it; no I/O of its own.

A batch is first planned: its observations become sorted columns, and most follow from where their
series stand. The others need their history, which the computation `restate` asks for.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

import numpy as np
import pyarrow as pa

from breakout.core.arrays import NULL, Flag, Int, first_of_series, last_of_series
from streams.columns import (
    Columns,
    concatenate,
    count_updates,
    first_of_key,
    merge_equal_keys,
)
from streams.downloads.appending import Appended, append, classify_new
from streams.downloads.history import Computation, Span
from streams.downloads.registry import Registry
from streams.downloads.restating import GridRows, Observed, Restated, merge, restate
from streams.downloads.series import SeriesIndex
from streams.downloads.slice_columns import SliceColumns
from streams.downloads.tails import Tails
from streams.downloads.windows import ENDLESS, MARGIN_MS

MAX_SERIES = 250
"""Series of a partition whose history is read and computed at once: bounds memory and the text of a
query, which asks for those of all partitions."""

_EMPTY: Int = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Plan:
    """A batch as sorted columns."""

    appended: Columns
    """Observations that follow from where their series stand, one a key."""
    counted: Appended
    """Those of them with a counter."""
    history: Columns
    """Observations whose series need their history; within a key in the order of arrival."""
    late: Flag
    """By slot: which series have an observation that is not newer than all before."""
    updates: int
    received: int


@dataclass(frozen=True)
class Result:
    """The changes of a batch: everything to write."""

    sources: Sequence[str]
    models: pa.StringArray
    """Model id of each series."""
    slots: Int
    """Slot of each series."""
    source: Int
    """Index into `sources` of each series."""
    observed: Observed
    """`columns.slot` is an index into `models`, and does not decrease."""
    grid: GridRows
    """`rows.series` is an index into `models`, as that of the superseded rows."""
    superseded: GridRows
    version: int
    new: int
    late: int
    duplicate: int


class State:
    """State of one partition of `breakout.downloads`."""

    def __init__(self) -> None:
        self.version = 0
        """Distinct observations taken in: the version of the rows written next."""
        self.index = SeriesIndex()
        self.registry = Registry()
        self.tails = Tails.empty(1024)
        # Observations of the latest batch, which may not be stored yet.
        self._latest = Columns.empty()

    def __len__(self) -> int:
        """Return the number of series (model and source)."""
        return len(self.index.models)

    def add_series(self, source: str, models: Sequence[str]) -> Int:
        """Return the slots of a source's series; new series are added."""
        return self._numbered(source, self.index.add(source, models))

    def plan(self, slices: Sequence[SliceColumns]) -> Plan:
        """Turn a batch's slices, in the order of the log, into sorted columns."""
        columns = self._gather(slices)
        at = columns.at
        if (at[1:] >= at[:-1]).all():  # scrapes ordered by time: sort by series only
            columns = columns.take(np.argsort(columns.slot, kind="stable"))
        else:
            columns = columns.take(np.lexsort((at, columns.slot)))
        late = np.zeros(len(self), bool)
        late[columns.slot[columns.at <= self.tails.latest_at[columns.slot]]] = True
        needs = late.copy()
        plain = columns if not late.any() else columns.take(~late[columns.slot])
        begins = first_of_key(plain)
        appended = merge_equal_keys(plain, begins, self.index.origins)
        counted, slots = self._classify(appended)
        if len(slots):
            needs[slots] = True
            kept = ~needs[plain.slot]
            plain, begins = plain.take(kept), begins[kept]
            appended = appended.take(~needs[appended.slot])
            counted = counted.take(~needs[counted.slot])
        return Plan(
            appended=appended,
            counted=counted,
            history=columns.take(needs[columns.slot]) if needs.any() else Columns.empty(),
            late=late,
            updates=len(appended.slot) + count_updates(plain, begins, self.index.origins),
            received=len(columns.slot),
        )

    def restate(self, plan: Plan) -> Computation[list[Restated]]:
        """Compute what changes in series that need their history; changes nothing itself."""
        restated = []
        news = yield from self._with_news(plan)
        for part in _parts(news):
            batch = plan.history.take(np.isin(plan.history.slot, part))
            stored = yield from self._stored(batch, MARGIN_MS)
            one, short = restate(stored, batch, self.index.origins, self.tails, whole=False)
            restated.append(one)
            if len(short):
                batch = batch.take(np.isin(batch.slot, short))
                stored = yield from self._stored(batch, ENDLESS)
                one, _ = restate(stored, batch, self.index.origins, self.tails, whole=True)
                restated.append(one)
        return restated

    def apply(self, plan: Plan, restated: Sequence[Restated]) -> Result:
        """Take in a batch, of which `restated` is what changes earlier observations."""
        appended = self._append(plan)
        for one in restated:
            self.tails.restate(one.ends)
            slots, first_at = one.first_at
            known = self.tails.first_at[slots]
            self.tails.first_at[slots] = np.where(
                known == NULL, first_at, np.minimum(known, first_at)
            )
        self.tails.observe(plan.history.slot, plan.history.at)
        updates = plan.updates + sum(one.updates for one in restated)
        self.version += updates
        late = sum(int(plan.late[one.new].sum()) for one in restated)
        new = len(plan.appended.slot) + sum(len(one.new) for one in restated)
        observed, grid = appended
        return self._result(
            [observed, *(one.observed for one in restated)],
            [grid, *(one.grid for one in restated)],
            [one.superseded for one in restated],
            new=new - late,
            late=late,
            duplicate=plan.received - updates,
        )

    # Planning.

    def _gather(self, slices: Sequence[SliceColumns]) -> Columns:
        # All slices together: many of them may hold a single observation.
        lengths = [len(one.models) for one in slices]
        origins = [self.index.origin(one.origin) for one in slices]

        def column(of: Callable[[SliceColumns], Int]) -> Int:
            return np.concatenate([_EMPTY, *map(of, slices)])

        return Columns(
            column(lambda one: self._numbered(one.source, self.index.add_slice(one))),
            np.repeat(np.array([one.at for one in slices], dtype=np.int64), lengths),
            column(attrgetter("downloads_all_time")),
            column(attrgetter("downloads_30d")),
            column(attrgetter("likes")),
            np.repeat(np.array(origins, dtype=np.int64), lengths),
        )

    def _numbered(self, source: str, slots: Int) -> Int:
        """Make room for new series, and note their source."""
        self.tails.reserve(len(self))
        if len(slots) and (self.tails.source[slots] == NULL).any():
            self.tails.source[slots] = self.index.sources.index(source)
        return slots

    def _classify(self, columns: Columns) -> tuple[Appended, Int]:
        """Return what new observations are, and the slots of series that need their history."""
        counted = columns.raw >= 0
        if not counted.all():
            columns = columns.take(counted)
        return classify_new(self.tails, columns.slot, columns.at, columns.raw)

    # Applying.

    def _append(self, plan: Plan) -> tuple[Observed, GridRows]:
        grid, opening = append(self.tails, plan.counted)
        columns = plan.appended
        self.tails.observe(columns.slot, columns.at)
        counted = columns.raw >= 0
        nulls = np.full(len(columns.slot), NULL, np.int64)
        state, openings = nulls.copy(), nulls.copy()
        state[counted], openings[counted] = plan.counted.state, opening
        observed = Observed(columns, state, nulls, nulls, nulls, openings)
        rows = len(grid.day)
        return observed, GridRows(grid, np.zeros(rows, bool), np.full(rows, NULL, np.int64))

    def _with_news(self, plan: Plan) -> Computation[Int]:
        """Compute the slots that need their history, but for those whose batch is all stored."""
        slots = np.unique(plan.history.slot)
        late = slots[plan.late[slots]]
        known = []
        for part in _parts(late):
            batch = plan.history.take(np.isin(plan.history.slot, part))
            stored = yield from self._stored(batch, 0)
            merged = merge(stored, batch, self.index.origins)
            news = merged.columns.slot[merged.new | merged.altered]
            known.append(np.setdiff1d(part, news))
        return np.setdiff1d(slots, np.concatenate([_EMPTY, *known]), assume_unique=True)

    def _stored(self, batch: Columns, margin: int) -> Computation[Columns]:
        """Read the observations around those of a batch, as they are once all is written."""
        spans = self._spans(batch, margin)
        slots, first_at, last_at = np.array(
            [(span.slot, span.first_at, span.last_at) for span in spans], np.int64
        ).T
        latest = self._latest
        which = np.minimum(np.searchsorted(slots, latest.slot), len(slots) - 1)
        wanted = slots[which] == latest.slot
        wanted &= (first_at[which] <= latest.at) & (latest.at <= last_at[which])
        stored = yield spans
        both = concatenate((stored, latest.take(wanted)))
        # Stable: of equal keys, the latest comes last.
        both = both.take(np.lexsort((both.at, both.slot)))
        return both.take(np.append(first_of_key(both), True)[1:])

    def _spans(self, batch: Columns, margin: int) -> list[Span]:
        """Return the times of each series' observations in a batch, with a margin around them."""
        begins, ends = (
            np.flatnonzero(one) for one in (first_of_series(batch.slot), last_of_series(batch.slot))
        )
        sources = self.index.sources
        return [
            Span(
                slot,
                sources[self.tails.source[slot]],
                self.index.models[slot],
                max(int(batch.at[low]) - margin, 0),
                min(int(batch.at[high]) + margin, ENDLESS),
            )
            for slot, low, high in zip(
                batch.slot[ends].tolist(), begins.tolist(), ends.tolist(), strict=True
            )
        ]

    def _result(
        self,
        observed: Sequence[Observed],
        grid: Sequence[GridRows],
        superseded: Sequence[GridRows],
        **counts: int,
    ) -> Result:
        both = Observed.concatenate(observed)
        if len(observed) > 1:
            # Rows are written by series; the parts have different ones.
            both = both.take(np.argsort(both.columns.slot, kind="stable"))
        # A copy of the slots, which are renumbered below.
        self._latest = replace(both.columns, slot=both.columns.slot.copy())
        rows, gone = GridRows.concatenate(grid), GridRows.concatenate(superseded)
        parts = (both.columns.slot, rows.rows.series, gone.rows.series)
        changed = np.zeros(len(self), bool)
        for part in parts:
            changed[part] = True
        slots = np.flatnonzero(changed)
        number = np.cumsum(changed) - 1
        for part in parts:
            part[:] = number[part]
        return Result(
            self.index.sources,
            self.index.names(slots),
            slots,
            self.tails.source[slots],
            both,
            rows,
            gone,
            self.version,
            **counts,
        )


def _parts(slots: Int) -> Iterable[Int]:
    return (slots[begin : begin + MAX_SERIES] for begin in range(0, len(slots), MAX_SERIES))
