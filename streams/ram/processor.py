"""The score processor: points to baselines, RAM and breakouts.

It reads `breakout.points`. Of each batch it writes, in this order: baselines and breakouts,
events to `breakout.breakouts`, then latest values and points, which tell a restarted worker what
it knows; only after them is the batch acknowledged. RAM itself is a view of points and baselines.
"""

import asyncio
from collections.abc import Iterable, Sequence

import structlog

from breakout.contract import BreakoutEvent, Event, PointsSlice, read_event
from breakout.contract.times import from_ms
from breakout.contract.topics import BREAKOUTS, POINTS
from breakout.observability import metrics
from breakout.settings import Settings
from streams.batches import Batch
from streams.clickhouse import WorkerClickHouse
from streams.observed_times import check_moments
from streams.outbox import Outbox
from streams.processor import Processor
from streams.ram import reads, rows
from streams.ram.state import BinState, Changes

log = structlog.get_logger(__name__)

FROZEN_SECONDS = 10.0
"""Seconds between looks for newly frozen baselines."""


class ScoreProcessor(Processor[PointsSlice]):
    """One worker's share of the size bins."""

    name = "scores"
    topics = (POINTS.name,)

    def __init__(self, settings: Settings, outbox: Outbox, clickhouse: WorkerClickHouse) -> None:
        super().__init__(settings, outbox, clickhouse)
        self._bins: dict[str, BinState] = {}
        self._busy = asyncio.Lock()

    def forget(self) -> None:
        """Drop all state."""
        self._bins = {}

    def read(self, topic: str, value: bytes | None) -> PointsSlice:  # noqa: ARG002
        """Read one record."""
        event = read_event(PointsSlice, value)
        check_moments(event)
        return event

    def rows_of(self, event: PointsSlice) -> int:
        """Return how many points a record holds."""
        return len(event.models) + len(event.point_model)

    async def process(self, batch: Batch[PointsSlice]) -> None:
        """Work a batch through."""
        async with self._busy:
            slices: dict[str, list[PointsSlice]] = {}
            for record in batch.records:
                if record.event is not None:
                    slices.setdefault(record.event.size_bin, []).append(record.event)
            bins = await self._owned(slices)
            changes = [
                await asyncio.to_thread(_take, bins[size_bin], some)
                for size_bin, some in slices.items()
            ]
            await self.writing_done()
            self.write(batch, self._write(changes))

    async def watch_frozen(self) -> None:
        """Score newly frozen baselines, for ever."""
        with self.until_stopped():
            while True:
                await asyncio.sleep(FROZEN_SECONDS)
                async with self._busy:
                    await self._look_for_frozen()

    async def _look_for_frozen(self) -> None:
        bins = self._bins
        if not bins:
            return
        await self.writing_done()
        found = await asyncio.to_thread(
            lambda: list(reads.load_frozen(self.clickhouse, list(bins)))
        )
        changes = []
        for name, size_bin, baseline in found:
            if name not in bins[size_bin].frozen:
                bins[size_bin].freeze(name, baseline)
                one = Changes(size_bin, bins[size_bin].version)
                bins[size_bin].score(one)
                changes.append(one)
                log.info("frozen baseline scored", baseline=name, size_bin=size_bin)
        if changes:
            await self._write(changes)

    async def _owned(self, size_bins: Iterable[str]) -> dict[str, BinState]:
        bins = self._bins
        missing = sorted(set(size_bins) - bins.keys())
        if missing:
            await self.writing_done()
            with metrics.STATE_LOAD_SECONDS.labels(self.name).time():
                loaded = await asyncio.to_thread(
                    reads.load_bins,
                    self.clickhouse,
                    missing,
                    self.settings.breakout_min_age_days,
                    self.settings.breakout_max_age_days,
                )
            bins.update(loaded)
            log.info("state rebuilt from ClickHouse", size_bins=missing)
        metrics.STATE_MODELS.labels(self.name).set(sum(one.models for one in bins.values()))
        return bins

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


def _take(state: BinState, slices: Sequence[PointsSlice]) -> Changes:
    changes = Changes(state.size_bin, state.version)
    for one in slices:
        state.take(one, changes)
    state.score(changes)
    return changes


def _events(changes: Iterable[Changes]) -> Iterable[tuple[str, Event]]:
    for one in changes:
        for row in one.crossings:
            crossing = row.crossing
            metrics.BREAKOUTS.labels(row.baseline, row.status).inc()
            yield (
                f"{row.baseline}:{row.model_id}",
                BreakoutEvent.model_validate(
                    {
                        "baseline": row.baseline,
                        "model_id": row.model_id,
                        "status": row.status,
                        "crossed_at": from_ms(crossing.crossed_at),
                        "age_days": crossing.age,
                        "ram": crossing.ram,
                        "ended_at": None
                        if crossing.ended_at is None
                        else from_ms(crossing.ended_at),
                    }
                ),
            )
