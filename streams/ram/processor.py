"""The RAM processor: points to baselines, RAM and breakouts.

It reads `breakout.points`. Per batch it writes, in this order: baselines and breakouts, events to
`breakout.breakouts`, then points and latest values, from which a restarted worker rebuilds its
state; only then is the batch acknowledged. RAM itself is a view over points and baselines.
"""

import asyncio
from collections.abc import Iterable, Sequence

import structlog

from breakout.contract import BreakoutEvent, Event, PointsSlice
from breakout.contract.topics import BREAKOUTS, POINTS
from breakout.core.times import from_ms
from breakout.observability import metrics
from breakout.settings import Settings
from streams.batches import Batch
from streams.clickhouse import WorkerClickHouse
from streams.outbox import Outbox
from streams.ram import reads, rows
from streams.ram.changes import Changes
from streams.ram.state import BinState
from streams.stateful import StatefulProcessor

log = structlog.get_logger(__name__)

FROZEN_SECONDS = 10.0
"""Seconds between checks for newly frozen baselines."""


class RamProcessor(StatefulProcessor[PointsSlice, str, BinState]):
    """Processes this worker's share of the size bins."""

    name = "ram"
    topics = (POINTS,)

    def __init__(self, settings: Settings, outbox: Outbox, clickhouse: WorkerClickHouse) -> None:
        super().__init__(settings, outbox, clickhouse)
        self._busy = asyncio.Lock()

    def row_count(self, event: PointsSlice) -> int:
        """Return how many points and latest values a record holds."""
        return len(event.models) + len(event.point_model)

    def load(self, keys: Sequence[str]) -> dict[str, BinState]:
        """Load the states of size bins."""
        ages = (self.settings.breakout_min_age_days, self.settings.breakout_max_age_days)
        return reads.load_bins(self.clickhouse, keys, *ages)

    async def process(self, batch: Batch[PointsSlice]) -> None:
        """Process a batch; its rows are written while the next batch is read."""
        async with self._busy:
            slices = batch.by(lambda event: event.size_bin)
            states = await self.states_of(slices)
            changes = [
                await asyncio.to_thread(_update, states[size_bin], group)
                for size_bin, group in slices.items()
            ]
            await self.write(batch, self._write, changes)

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


def _update(state: BinState, slices: Sequence[PointsSlice]) -> Changes:
    changes = Changes(state.size_bin, state.version)
    for slice_ in slices:
        state.update(slice_, changes)
    state.recompute(changes)
    return changes


def _events(changes: Iterable[Changes]) -> Iterable[tuple[str, Event]]:
    for one in changes:
        for row in one.breakouts:
            metrics.BREAKOUTS.labels(row.baseline, row.status).inc()
            ended_at = row.breakout.ended_at
            event = {
                "baseline": row.baseline,
                "model_id": row.model_id,
                "status": row.status,
                "crossed_at": from_ms(row.breakout.crossed_at),
                "age_days": row.breakout.age,
                "ram": row.breakout.ram,
                "ended_at": None if ended_at is None else from_ms(ended_at),
            }
            yield f"{row.baseline}:{row.model_id}", BreakoutEvent.model_validate(event)
