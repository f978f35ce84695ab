"""The RAM processor: the daily grid to points, baselines, RAM and breakouts.

It reads `breakout.daily`. Per batch it writes, in this order: baselines and breakouts, events to
`breakout.breakouts`, then points and latest values, from which a restarted worker rebuilds its
state; only then is the batch acknowledged. RAM itself is a view over points and baselines.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import structlog

from breakout.contract import BreakoutEvent, DailySlice, Event
from breakout.contract.topics import BREAKOUTS, DAILY
from breakout.core import ram
from breakout.core.times import from_ms
from breakout.observability import metrics
from breakout.settings import Settings
from streams.batches import Batch
from streams.clickhouse import WorkerClickHouse
from streams.outbox import Outbox
from streams.ram import reads, rows
from streams.ram.changes import Changes
from streams.ram.daily import DailyRows
from streams.ram.state import BinState
from streams.stateful import StatefulProcessor

log = structlog.get_logger(__name__)

FROZEN_SECONDS = 10.0
"""Seconds between checks for newly frozen baselines."""


class RamProcessor(StatefulProcessor[DailySlice, str, BinState]):
    """Processes this worker's share of the size bins."""

    name = "ram"
    topics = (DAILY,)

    def __init__(self, settings: Settings, outbox: Outbox, clickhouse: WorkerClickHouse) -> None:
        super().__init__(settings, outbox, clickhouse)
        self._busy = asyncio.Lock()

    def row_count(self, event: DailySlice) -> int:
        """Return how many rows and models a record stands for, with the rows it asks to read."""
        return len(event.models) + len(event.row_model) + ram.AGES * sum(event.reread)

    def load(self, keys: Sequence[str]) -> dict[str, BinState]:
        """Load the states of size bins."""
        ages = (self.settings.breakout_min_age_days, self.settings.breakout_max_age_days)
        return reads.load_bins(self.clickhouse, keys, *ages)

    async def process(self, batch: Batch[DailySlice]) -> None:
        """Process a batch; its rows are written while the next batch is read."""
        async with self._busy:
            slices = batch.by(lambda event: event.size_bin)
            states = await self.states_of(slices)
            # Before any state changes: the worker may have to stop while ClickHouse is away.
            reread = {
                size_bin: await asyncio.to_thread(self._reread, states[size_bin], group)
                for size_bin, group in slices.items()
            }
            changes = [
                await asyncio.to_thread(_update, states[size_bin], group, reread[size_bin])
                for size_bin, group in slices.items()
            ]
            await self.write(batch, self._write, changes)

    def _reread(self, state: BinState, slices: Sequence[DailySlice]) -> Mapping[str, DailyRows]:
        released: dict[str, list[int]] = {}
        for slice_ in slices:
            for model_id, day0 in state.matrix.to_reread(slice_):
                released.setdefault(model_id, []).append(day0)
        return reads.load_daily(self.clickhouse, released)

    async def watch_frozen(self) -> None:
        """Compute the breakouts of newly frozen baselines, for ever."""
        with self.until_stopped():
            while True:
                await asyncio.sleep(FROZEN_SECONDS)
                async with self._busy:
                    await self._add_frozen()

    async def _add_frozen(self) -> None:
        states = self.states
        if not states:
            return
        await self.writing_done()
        found = await asyncio.to_thread(reads.load_frozen, self.clickhouse, list(states))
        changes = []
        for (name, size_bin), baseline in found.items():
            state = states[size_bin]
            if name not in state.baselines.by_name:
                state.baselines.by_name[name] = baseline
                changes.append(Changes(size_bin, state.version))
                state.recompute(changes[-1])
                log.info("frozen baseline added", baseline=name, size_bin=size_bin)
        if changes:
            await self._write(changes)

    async def _write(self, changes: Sequence[Changes]) -> None:
        await asyncio.to_thread(self._insert_derived, changes)
        await self.outbox.send(BREAKOUTS, _events(changes))
        await asyncio.to_thread(self._insert_points, changes)

    def _insert_derived(self, changes: Sequence[Changes]) -> None:
        self.clickhouse.insert("baselines_log", rows.baselines(changes))
        self.clickhouse.insert("breakouts_log", rows.breakouts(changes))

    def _insert_points(self, changes: Sequence[Changes]) -> None:
        self.clickhouse.insert("points_log", rows.points(changes))
        self.clickhouse.insert("latest_log", rows.latest(changes))


def _update(
    state: BinState, slices: Sequence[DailySlice], reread: Mapping[str, DailyRows]
) -> Changes:
    changes = Changes(state.size_bin, state.version)
    for slice_ in slices:
        state.update(slice_, reread, changes)
    state.recompute(changes)
    return changes


def _events(changes: Iterable[Changes]) -> Iterable[tuple[str, Event]]:
    for one in changes:
        for row in one.breakouts:
            metrics.BREAKOUTS.labels(row.baseline, row.status).inc()
            breakout = row.breakout
            event = {
                "baseline": row.baseline,
                "model_id": row.model_id,
                "status": row.status,
                "crossed_at": from_ms(breakout.crossed_at),
                "age_days": breakout.age,
                "ram": breakout.ram,
                "ended_at": _moment(breakout.ended_at),
                "confirmed_at": _moment(breakout.confirmed_at),
                "ram_capped": breakout.ram_capped,
                "top_day_share": breakout.top_day_share,
            }
            yield f"{row.baseline}:{row.model_id}", BreakoutEvent.model_validate(event)


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_ms(milliseconds)
