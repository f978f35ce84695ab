"""The downloads processor: raw counters to clean series, daily deltas and points.

It reads `breakout.downloads` and `breakout.models`. Per batch it writes, in this order: points to
`breakout.points`, counts of scrapes, rows of `downloads_log`, then (for models whose registry
entry changed the inputs of RAM) all their points again, and rows of `models_log`. The rows from
which a restarted worker rebuilds its state come last, so whatever a crash left undone is repeated;
only then is the batch acknowledged. Points and counts of a batch may be written while the rows of
the previous batch still are.
"""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import pyarrow as pa
import structlog

from breakout.contract import DownloadsSlice, Event, ModelRecord
from breakout.contract.topics import DOWNLOADS, MODELS, POINTS
from breakout.observability import metrics
from streams.batches import Batch
from streams.downloads import reads, rows
from streams.downloads.points import points_slice, withdrawal_slice
from streams.downloads.slice_columns import SliceColumns
from streams.downloads.state import History, Plan, Republished, Result, State
from streams.stateful import StatefulProcessor

log = structlog.get_logger(__name__)


class DownloadsProcessor(StatefulProcessor[SliceColumns | ModelRecord, int, State]):
    """Processes this worker's share of the partitions."""

    name = "downloads"
    topics = (MODELS, DOWNLOADS)

    def read(self, topic: str, value: bytes | None) -> SliceColumns | ModelRecord:
        """Read one record of either topic; a slice as columns."""
        event: Any = super().read(topic, value)
        return SliceColumns.of(event) if isinstance(event, DownloadsSlice) else event

    def row_count(self, event: SliceColumns | ModelRecord) -> int:
        """Return how many observations a record holds."""
        return max(len(event.models), 1) if isinstance(event, SliceColumns) else 1

    def load(self, keys: Sequence[int]) -> dict[int, State]:
        """Load the states of partitions."""
        return reads.load_partitions(self.clickhouse, keys, self.settings.partitions)

    async def process(self, batch: Batch[SliceColumns | ModelRecord]) -> None:
        """Process a batch; its rows are written while the next batch is read."""
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
            self.outbox.send(POINTS, _points_slices(results.values())),
        )
        # Before the rows: after a crash, rows that are stored already do not change counts again.
        await asyncio.to_thread(self._insert_scrapes, slices, results)
        await self.write(batch, self._write, table, states, records)
        if records:
            # Points published again must reach the topic before those of later batches.
            await self.writing_done()

    async def _cleaned(
        self, slices: dict[int, list[SliceColumns]], registered: Iterable[int]
    ) -> tuple[dict[int, State], dict[int, Result]]:
        """Return the states that the batch was applied to, and its changes.

        A worker that lost a partition may still write to it after its state was loaded here. Such
        a state and the new rows together would count an observation twice or never.
        """
        while True:
            states = await self.states_of({*slices, *registered})
            try:
                return states, await self._clean(states, slices)
            except reads.StateBehindError as behind:
                log.info(
                    "another worker wrote rows: loading the state again", partition=behind.partition
                )
                states.pop(behind.partition)

    async def _clean(
        self, states: dict[int, State], slices: dict[int, list[SliceColumns]]
    ) -> dict[int, Result]:
        # All partitions in one thread call: each return waits for the event loop, which may be
        # reading a large record.
        plans = await asyncio.to_thread(
            lambda: {number: states[number].plan(group) for number, group in slices.items()}
        )
        if any(
            plan.late or states[number].unknown_scrapes(plan, None)
            for number, plan in plans.items()
        ):
            # Rows being written must be stored before they are read.
            await self.writing_done()
        results = await asyncio.to_thread(self._apply, states, plans)
        for result in results.values():
            metrics.OBSERVATIONS.labels("new").inc(result.new)
            metrics.OBSERVATIONS.labels("late").inc(result.late)
            metrics.OBSERVATIONS.labels("duplicate").inc(result.duplicate)
            metrics.REVISIONS.inc(int((result.rows.cleaned.revision > 0).sum()))
            metrics.JUMPS.inc(int(result.rows.cleaned.jump.sum()))
        return results

    def _apply(self, states: dict[int, State], plans: dict[int, Plan]) -> dict[int, Result]:
        # Read everything before a state changes, so that all of it can be repeated.
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
        for number, group in records.items():
            await self._republish(states[number], states[number].register(group))
        registered = list(chain.from_iterable(records.values()))
        await asyncio.to_thread(self.clickhouse.insert, "models_log", rows.models(registered))

    async def _republish(self, state: State, models: Sequence[Republished]) -> None:
        """Publish all points of models again, and withdraw them from a size bin they left."""
        left = [
            (
                model.left_bin,
                withdrawal_slice(
                    model.model_id, model.left_bin, model.registry_changed_at, state.version
                ),
            )
            for model in models
            if model.left_bin is not None
        ]
        await self.outbox.send(POINTS, left)
        by_id = {model.model_id: model for model in models if model.inputs.has_points}
        for model_ids in reads.chunked(list(by_id), reads.MAX_MODELS):
            series = await asyncio.to_thread(reads.load_cumulative, self.clickhouse, model_ids)
            slices = []
            for model_id, at, cumulative in series:
                size_bin = str(by_id[model_id].inputs.size_bin)
                points = state.points_of(by_id[model_id], at, cumulative)
                slices.append((size_bin, points_slice(size_bin, points, reset=True)))
            await self.outbox.send(POINTS, slices)


def _rows(states: dict[int, State], results: dict[int, Result]) -> pa.Table | None:
    if not results:
        return None
    parts = [(result.rows, states[number].origins) for number, result in results.items()]
    return rows.downloads(parts)


def _points_slices(results: Iterable[Result]) -> Iterable[tuple[str, Event]]:
    for result in results:
        for size_bin, points in result.points.items():
            yield size_bin, points_slice(size_bin, points, reset=False)
