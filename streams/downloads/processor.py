"""The downloads processor: raw counters to states and the daily grid.

It reads `breakout.downloads` and `breakout.models`. Per batch it publishes grid rows to
`breakout.daily`, then writes, in this order: grid rows, rows of `downloads_log`, scrapes, (for
models whose registry entry changed the inputs of RAM) a request to read them anew, and rows of
`models_log`. The rows from which a restarted worker rebuilds its state come after all that depends
on it, so whatever a crash left undone is repeated; only then is the batch acknowledged. Grid rows
of a batch may be published while the rows of the previous batch still are written.
"""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import chain
from typing import Any

import pyarrow as pa
import structlog

from breakout.contract import DownloadsSlice, Event, ModelRecord
from breakout.contract.topics import DAILY, DOWNLOADS, MODELS
from breakout.core.counters import State as CounterState
from breakout.observability import metrics
from streams.batches import Batch
from streams.downloads import reads, rows
from streams.downloads.daily_slices import slices_of, slices_of_registry
from streams.downloads.history import compute
from streams.downloads.slice_columns import SliceColumns
from streams.downloads.state import Plan, Result, State
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
        states, results = await self._computed(slices, records.keys())
        tables, _ = await asyncio.gather(
            asyncio.to_thread(_tables, states, slices, results),
            self.outbox.send(DAILY, _slices(states, results)),
        )
        await self.write(batch, self._write, tables, states, records)
        if records:
            # A request to read models anew must reach the topic before rows of later batches.
            await self.writing_done()

    async def _computed(
        self, slices: dict[int, list[SliceColumns]], registered: Iterable[int]
    ) -> tuple[dict[int, State], dict[int, Result]]:
        """Return the states that the batch was applied to, and its changes.

        A worker that lost a partition may still write to it after its state was loaded here. Such
        a state and the new rows together would count an observation twice or never.
        """
        while True:
            states = await self.states_of({*slices, *registered})
            try:
                return states, await self._compute(states, slices)
            except reads.StateBehindError as behind:
                log.info(
                    "another worker wrote rows: loading the state again", partition=behind.partition
                )
                states.pop(behind.partition)

    async def _compute(
        self, states: dict[int, State], slices: dict[int, list[SliceColumns]]
    ) -> dict[int, Result]:
        # All partitions in one thread call: each return waits for the event loop, which may be
        # reading a large record.
        plans = await asyncio.to_thread(
            lambda: {number: states[number].plan(group) for number, group in slices.items()}
        )
        results = await asyncio.to_thread(self._apply, states, plans)
        for result in results.values():
            metrics.OBSERVATIONS.labels("new").inc(result.new)
            metrics.OBSERVATIONS.labels("late").inc(result.late)
            metrics.OBSERVATIONS.labels("duplicate").inc(result.duplicate)
            for state in CounterState:
                count = int((result.observed.state == state).sum())
                metrics.OBSERVATION_STATES.labels(state.name.lower()).inc(count)
        return results

    def _apply(self, states: dict[int, State], plans: dict[int, Plan]) -> dict[int, Result]:
        # Read everything of all partitions before a state changes, so that it can be repeated.
        changes = compute(
            {number: states[number].restate(plan) for number, plan in plans.items()},
            partial(reads.load_stored, self.clickhouse, states),
        )
        return {
            number: states[number].apply(plan, changes[number]) for number, plan in plans.items()
        }

    async def _write(
        self,
        tables: list[tuple[str, pa.Table]],
        states: dict[int, State],
        records: dict[int, list[ModelRecord]],
    ) -> None:
        await asyncio.to_thread(self._insert, tables)
        for number, group in records.items():
            changes = states[number].registry.update(group)
            await self.outbox.send(DAILY, slices_of_registry(states[number], changes))
        registered = list(chain.from_iterable(records.values()))
        await asyncio.to_thread(self.clickhouse.insert, "models_log", rows.models(registered))

    def _insert(self, tables: list[tuple[str, pa.Table]]) -> None:
        for name, table in tables:
            self.clickhouse.insert(name, table)


def _tables(
    states: dict[int, State], slices: dict[int, list[SliceColumns]], results: dict[int, Result]
) -> list[tuple[str, pa.Table]]:
    """Return the tables of a batch, in the order in which they are written."""
    if not results:
        return []
    changes = list(results.values())
    parts = [(result, states[number].index.origins) for number, result in results.items()]
    return [
        ("daily_log", rows.daily(changes)),
        ("daily_superseded", rows.superseded(changes)),
        ("downloads_log", rows.downloads(parts)),
        ("scrape_missing", rows.scrape_missing(chain.from_iterable(slices.values()))),
        # Last: readers learn from it that there is something new.
        ("scrapes_log", rows.scrapes(slices)),
    ]


def _slices(states: dict[int, State], results: dict[int, Result]) -> Iterable[tuple[str, Event]]:
    for number, result in results.items():
        yield from slices_of(states[number], result)
