"""The facts processor: names, inference tokens and leaderboard ratings, written as they arrive.

It reads `breakout.names`, `breakout.inference` and `breakout.scores`, and writes `names_log`,
`inference_log` and `ratings_log`. A row depends on its record alone, and the contents of two rows
with one key decide which of them counts, so the processor keeps no state; shares and ranks are
views. A day's tokens and a day's leaderboard are documents: views read the rows of the newest
reading alone, so what it no longer names is withdrawn.
"""

import asyncio
from typing import TypeVar

from breakout.contract import InferenceDay, LeaderboardSlice, NameRecord
from breakout.contract.topics import INFERENCE, LEADERBOARDS, NAMES
from streams.batches import Batch
from streams.facts import rows
from streams.processor import Processor

Fact = NameRecord | InferenceDay | LeaderboardSlice
FactT = TypeVar("FactT", NameRecord, InferenceDay, LeaderboardSlice)


class FactsProcessor(Processor[Fact]):
    """Processes this worker's share of the partitions."""

    name = "facts"
    topics = (NAMES, INFERENCE, LEADERBOARDS)

    def row_count(self, event: Fact) -> int:
        """Return how many rows a record becomes."""
        return 1 if isinstance(event, NameRecord) else len(event.names)

    async def process(self, batch: Batch[Fact]) -> None:
        """Write the rows of a batch while the next batch is read."""
        facts = [record.event for record in batch.records if record.event is not None]
        await self.write(batch, asyncio.to_thread, self._insert, facts)

    def _insert(self, facts: list[Fact]) -> None:
        insert = self.clickhouse.insert
        insert("names_log", rows.names(_of_type(NameRecord, facts)))
        insert("inference_log", rows.inference(_of_type(InferenceDay, facts)))
        insert("ratings_log", rows.ratings(_of_type(LeaderboardSlice, facts)))


def _of_type(kind: type[FactT], facts: list[Fact]) -> list[FactT]:
    return [fact for fact in facts if isinstance(fact, kind)]
