"""The facts processor: what other sources say, row by row as it comes.

It reads `breakout.names`, `breakout.inference` and `breakout.scores`, and writes `names_log`,
`inference_log` and `ratings_log`. A row depends on its own record alone, and which of two rows with
one key counts is decided by what they hold, so it needs no state; shares and ranks are views.
"""

import asyncio
from collections.abc import Mapping
from typing import TypeVar

from breakout.contract import InferenceDay, LeaderboardSlice, NameRecord, read_event
from breakout.contract.topics import INFERENCE, LEADERBOARDS, NAMES
from streams.batches import Batch
from streams.facts import rows
from streams.observed_times import check_moments
from streams.processor import Processor

Fact = NameRecord | InferenceDay | LeaderboardSlice
FactT = TypeVar("FactT", NameRecord, InferenceDay, LeaderboardSlice)

_EVENTS: Mapping[str, type[Fact]] = {
    NAMES.name: NameRecord,
    INFERENCE.name: InferenceDay,
    LEADERBOARDS.name: LeaderboardSlice,
}


class FactsProcessor(Processor[Fact]):
    """One worker's share of the partitions."""

    name = "facts"
    topics = (NAMES.name, INFERENCE.name, LEADERBOARDS.name)

    def forget(self) -> None:
        """There is nothing to drop."""

    def read(self, topic: str, value: bytes | None) -> Fact:
        """Read one record of any of the topics."""
        event = read_event(_EVENTS[topic], value)
        check_moments(event)
        return event

    def rows_of(self, event: Fact) -> int:
        """Return how many rows a record becomes."""
        return 1 if isinstance(event, NameRecord) else len(event.names)

    async def process(self, batch: Batch[Fact]) -> None:
        """Hand the rows over; they are written while the next batch is gathered."""
        facts = [record.event for record in batch.records if record.event is not None]
        await self.writing_done()
        self.write(batch, asyncio.to_thread(self._insert, facts))

    def _insert(self, facts: list[Fact]) -> None:
        insert = self.clickhouse.insert
        insert("names_log", rows.names(_of(NameRecord, facts)))
        insert("inference_log", rows.inference(_of(InferenceDay, facts)))
        insert("ratings_log", rows.scores(_of(LeaderboardSlice, facts)))


def _of(kind: type[FactT], facts: list[Fact]) -> list[FactT]:
    return [fact for fact in facts if isinstance(fact, kind)]
