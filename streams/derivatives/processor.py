"""The derivatives processor: models that derive from others, with their ancestors and roots.

It reads `breakout.derivatives`; all records of a source are in one partition. Per batch it writes
`derivative_listings` for the bases whose derivatives are complete, `lineage_log` for every model
whose ancestors may have changed, then `derivatives_log`, from which a restarted worker rebuilds its
state.
"""

import asyncio
from collections.abc import Sequence

from breakout.contract import DerivativesSlice
from breakout.contract.topics import DERIVATIVES
from streams.batches import Batch
from streams.derivatives import reads, rows
from streams.derivatives.state import Changes, SourceState
from streams.stateful import StatefulProcessor


class DerivativesProcessor(StatefulProcessor[DerivativesSlice, str, SourceState]):
    """Processes the sources in this worker's partitions."""

    name = "derivatives"
    topics = (DERIVATIVES,)

    def row_count(self, event: DerivativesSlice) -> int:
        """Return how many models a record holds."""
        return max(len(event.models), 1)

    def load(self, keys: Sequence[str]) -> dict[str, SourceState]:
        """Load the states of sources."""
        return {source: reads.load(self.clickhouse, source) for source in keys}

    async def process(self, batch: Batch[DerivativesSlice]) -> None:
        """Process a batch; its rows are written while the next batch is read."""
        slices = batch.by(lambda event: event.source)
        states = await self.states_of(slices)
        changes = await asyncio.to_thread(
            lambda: {source: states[source].update(group) for source, group in slices.items()}
        )
        surveyed = [one for group in slices.values() for one in group]
        await self.write(batch, asyncio.to_thread, self._insert, changes, surveyed)

    def _insert(self, changes: dict[str, Changes], slices: list[DerivativesSlice]) -> None:
        self.clickhouse.insert("derivative_listings", rows.listings(slices))
        self.clickhouse.insert("lineage_log", rows.lineage(changes))
        self.clickhouse.insert("derivatives_log", rows.derivatives(changes))
