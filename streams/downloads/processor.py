"""The downloads processor: raw counters to clean series, daily deltas and points.

It reads `breakout.downloads` and `breakout.models`. Of each batch it writes, in this order:
points to `breakout.points`, counts of scrapes, rows of `downloads_log`, then (for models whose
registry entry changed what scoring needs) all their points anew, and rows of `models_log`. The
rows that tell a restarted worker what it knows come last, so whatever a crash leaves undone is
done again; only after them is the batch acknowledged. Points and counts of a batch may be written
while the rows of the one before still are.
"""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import chain

import pyarrow as pa
import structlog

from breakout.contract import DownloadsSlice, Event, ModelRecord, read_event
from breakout.contract.topics import DOWNLOADS, MODELS, POINTS
from breakout.observability import metrics
from breakout.settings import Settings
from streams.batches import Batch
from streams.clickhouse import WorkerClickHouse
from streams.downloads import reads, rows
from streams.downloads.points import leaving_slice, point_slice
from streams.downloads.slice_columns import SliceColumns
from streams.downloads.state import History, Plan, Rescored, Result, State
from streams.observed_times import check_moments
from streams.outbox import Outbox
from streams.processor import Processor

log = structlog.get_logger(__name__)


class DownloadsProcessor(Processor[SliceColumns | ModelRecord]):
    """One worker's share of the partitions."""

    name = "downloads"
    topics = (MODELS.name, DOWNLOADS.name)

    def __init__(self, settings: Settings, outbox: Outbox, clickhouse: WorkerClickHouse) -> None:
        super().__init__(settings, outbox, clickhouse)
        self._states: dict[int, State] = {}

    def forget(self) -> None:
        """Drop all state: partitions were given to somebody else, or come anew."""
        self._states = {}

    def read(self, topic: str, value: bytes | None) -> SliceColumns | ModelRecord:
        """Read one record of either topic."""
        event: DownloadsSlice | ModelRecord = (
            read_event(ModelRecord, value)
            if topic == MODELS.name
            else read_event(DownloadsSlice, value)
        )
        check_moments(event)
        return event if isinstance(event, ModelRecord) else SliceColumns.of(event)

    def rows_of(self, event: SliceColumns | ModelRecord) -> int:
        """Return how many observations a record holds."""
        return max(len(event.models), 1) if isinstance(event, SliceColumns) else 1

    async def process(self, batch: Batch[SliceColumns | ModelRecord]) -> None:
        """Work a batch through; its rows are written while the next one is gathered."""
        slices: dict[int, list[SliceColumns]] = {}
        records: dict[int, list[ModelRecord]] = {}
        for record in batch.records:
            if isinstance(record.event, SliceColumns):
                slices.setdefault(record.partition, []).append(record.event)
            elif record.event is not None:
                records.setdefault(record.partition, []).append(record.event)
        states, results = await self._cleaned(slices, records.keys())
        table, _ = await asyncio.gather(
            asyncio.to_thread(_rows, states, results),
            self.outbox.send(POINTS, _point_slices(results.values())),
        )
        # Before the rows: once these are known, counts that a late one moved do not come again.
        await asyncio.to_thread(self._insert_scrapes, slices, results)
        await self.writing_done()
        self.write(batch, self._write(table, states, records))
        if records:
            # Points made anew must reach the topic before those of later batches.
            await self.writing_done()

    async def _owned(self, numbers: Iterable[int]) -> dict[int, State]:
        states = self._states
        missing = sorted(set(numbers) - states.keys())
        if missing:
            await self.writing_done()
            with metrics.STATE_LOAD_SECONDS.labels(self.name).time():
                loaded = await asyncio.to_thread(
                    reads.load_partitions, self.clickhouse, missing, self.settings.partitions
                )
            states.update(loaded)
            log.info(
                "state rebuilt from ClickHouse",
                partitions=missing,
                series=sum(state.series for state in loaded.values()),
            )
        return states

    async def _cleaned(
        self, slices: dict[int, list[SliceColumns]], registered: Iterable[int]
    ) -> tuple[dict[int, State], dict[int, Result]]:
        """Return the states with the batch in them, and what it changes.

        A worker that lost a partition may still write to it after we read its state. That state
        and those rows together would count some observations twice and others never.
        """
        while True:
            states = await self._owned({*slices, *registered})
            try:
                return states, await self._clean(states, slices)
            except reads.StateBehindError as behind:
                log.info("another worker wrote last, reading anew", partition=behind.partition)
                states.pop(behind.partition)

    async def _clean(
        self, states: dict[int, State], slices: dict[int, list[SliceColumns]]
    ) -> dict[int, Result]:
        # All partitions in one go: each return from a thread waits for the loop, which may be
        # in the middle of reading a large record.
        plans = await asyncio.to_thread(
            lambda: {number: states[number].plan(some) for number, some in slices.items()}
        )
        if any(
            plan.late or states[number].unknown_scrapes(plan, None)
            for number, plan in plans.items()
        ):
            # What is being written must be there before it is read.
            await self.writing_done()
        results = await asyncio.to_thread(self._apply, states, plans)
        for result in results.values():
            metrics.OBSERVATIONS.labels("new").inc(result.new)
            metrics.OBSERVATIONS.labels("late").inc(result.late)
            metrics.OBSERVATIONS.labels("duplicate").inc(result.duplicate)
            metrics.REVISIONS.inc(int((result.rows.cleaned.revision > 0).sum()))
            metrics.JUMPS.inc(int(result.rows.cleaned.jump.sum()))
        metrics.STATE_MODELS.labels(self.name).set(sum(one.series for one in self._states.values()))
        return results

    def _apply(self, states: dict[int, State], plans: dict[int, Plan]) -> dict[int, Result]:
        # All is read before any state changes, so that all can be done again.
        history = {
            number: self._read_back(number, states[number], plan) for number, plan in plans.items()
        }
        return {
            number: states[number].apply(plan, history[number]) for number, plan in plans.items()
        }

    def _read_back(self, number: int, state: State, plan: Plan) -> History | None:
        history = reads.load_history(self.clickhouse, number, state, plan.late)
        unknown = state.unknown_scrapes(plan, history)
        if unknown:
            state.scrapes |= reads.load_scrapes(
                self.clickhouse, unknown, number, state, self.settings.partitions
            )
        return history

    def _insert_scrapes(
        self, slices: dict[int, list[SliceColumns]], results: dict[int, Result]
    ) -> None:
        if results:
            missing = rows.scrape_missing(chain.from_iterable(slices.values()))
            self.clickhouse.insert("scrape_missing", missing)
            self.clickhouse.insert("scrapes_log", rows.scrapes(results))

    async def _write(
        self,
        table: pa.Table | None,
        states: dict[int, State],
        records: dict[int, list[ModelRecord]],
    ) -> None:
        if table is not None:
            await asyncio.to_thread(self.clickhouse.insert, "downloads_log", table)
        for number, some in records.items():
            await self._rescore(states[number], states[number].register(some))
        told = [record for some in records.values() for record in some]
        await asyncio.to_thread(self.clickhouse.insert, "models_log", rows.models(told))

    async def _rescore(self, state: State, models: Sequence[Rescored]) -> None:
        """Publish all points of models anew, and take them back from a bin they left."""
        by_id = {one.model_id: one for one in models}
        left = [
            (one.left_bin, leaving_slice(one.model_id, one.left_bin, one.since, state.revision))
            for one in models
            if one.left_bin is not None
        ]
        await self.outbox.send(POINTS, left)
        there = [one for one in models if one.scored.has_points]
        for start in range(0, len(there), reads.MODELS_A_QUERY):
            some = there[start : start + reads.MODELS_A_QUERY]
            series = await asyncio.to_thread(
                reads.load_series, self.clickhouse, [one.model_id for one in some]
            )
            await self.outbox.send(
                POINTS,
                (
                    (
                        str(by_id[model_id].scored.size_bin),
                        point_slice(
                            str(by_id[model_id].scored.size_bin),
                            state.points_of(by_id[model_id], at, cumulative),
                            reset=True,
                        ),
                    )
                    for model_id, at, cumulative in series
                ),
            )


def _rows(states: dict[int, State], results: dict[int, Result]) -> pa.Table | None:
    if not results:
        return None
    parts = [(result.rows, states[number].origins) for number, result in results.items()]
    return rows.downloads(parts)


def _point_slices(results: Iterable[Result]) -> Iterable[tuple[str, Event]]:
    for result in results:
        for size_bin, points in result.points.items():
            yield size_bin, point_slice(size_bin, points, reset=False)
