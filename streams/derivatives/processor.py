"""The derivatives processor: who derives from whom, resolved to the root.

It reads `breakout.derivatives`, whose records of one source are all in one partition. Of each
batch it writes `lineage_log` for every model whose ancestors may have changed, and last
`derivatives_log`, from which a restarted worker learns what it knows.
"""

import asyncio

import structlog

from breakout.contract import DerivativesSlice, read_event
from breakout.contract.topics import DERIVATIVES
from breakout.observability import metrics
from breakout.settings import Settings
from streams.batches import Batch
from streams.clickhouse import WorkerClickHouse
from streams.derivatives import reads, rows
from streams.derivatives.state import Changes, SourceState
from streams.observed_times import check_moments
from streams.outbox import Outbox
from streams.processor import Processor

log = structlog.get_logger(__name__)


class DerivativesProcessor(Processor[DerivativesSlice]):
    """The sources whose partition this worker has."""

    name = "derivatives"
    topics = (DERIVATIVES.name,)

    def __init__(self, settings: Settings, outbox: Outbox, clickhouse: WorkerClickHouse) -> None:
        super().__init__(settings, outbox, clickhouse)
        self._states: dict[str, SourceState] = {}

    def forget(self) -> None:
        """Drop all state."""
        self._states = {}

    def read(self, topic: str, value: bytes | None) -> DerivativesSlice:  # noqa: ARG002
        """Read one record."""
        event = read_event(DerivativesSlice, value)
        check_moments(event)
        return event

    def rows_of(self, event: DerivativesSlice) -> int:
        """Return how many models a record holds."""
        return max(len(event.models), 1)

    async def process(self, batch: Batch[DerivativesSlice]) -> None:
        """Work a batch through; its rows are written while the next one is gathered."""
        slices: dict[str, list[DerivativesSlice]] = {}
        for record in batch.records:
            if record.event is not None:
                slices.setdefault(record.event.source, []).append(record.event)
        states = await self._known(slices)
        changes = await asyncio.to_thread(
            lambda: {source: states[source].take(some) for source, some in slices.items()}
        )
        metrics.STATE_MODELS.labels(self.name).set(sum(len(one) for one in states.values()))
        await self.writing_done()
        self.write(batch, asyncio.to_thread(self._insert, changes))

    async def _known(self, sources: dict[str, list[DerivativesSlice]]) -> dict[str, SourceState]:
        states = self._states
        for source in sorted(sources.keys() - states.keys()):
            await self.writing_done()
            with metrics.STATE_LOAD_SECONDS.labels(self.name).time():
                states[source] = await asyncio.to_thread(reads.load, self.clickhouse, source)
            log.info(
                "state rebuilt from ClickHouse", source=source, derivatives=len(states[source])
            )
        return states

    def _insert(self, changes: dict[str, Changes]) -> None:
        self.clickhouse.insert("lineage_log", rows.lineage(changes))
        self.clickhouse.insert("derivatives_log", rows.derivatives(changes))
