"""Dead-letter guard: stops a worker that would send too many records to the dead-letter topic.

A worker of a broken release can read no record, and would send every topic to the dead-letter
topic. So of any `WINDOW` consecutive records of a partition only a limited number may be
unreadable. They are counted in ClickHouse, not in memory: restarts do not raise the limit.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from streams.batches import Record
from streams.clickhouse import WorkerClickHouse
from streams.dead_letters import dead_letter_rows, send_dead_letters
from streams.outbox import Outbox

WINDOW = 100
"""Consecutive records of one partition."""

_KNOWN_OFFSETS = """
    SELECT offset FROM dead_letters
    WHERE topic = {topic:String} AND partition = {partition:UInt32} AND offset >= {first:Int64}
    GROUP BY offset
"""


class TooManyDeadLettersError(RuntimeError):
    """So many records are unreadable that the worker must be at fault, not the records."""


class DeadLetterGuard:
    """Sends one processor's unreadable records to the dead-letter topic, up to a limit."""

    def __init__(
        self, component: str, limit: int, outbox: Outbox, clickhouse: WorkerClickHouse
    ) -> None:
        """`limit` is how many of `WINDOW` consecutive records may be unreadable."""
        self._component = component
        self._limit = limit
        self._outbox = outbox
        self._clickhouse = clickhouse

    async def reject_unreadable(self, records: Iterable[Record[Any]]) -> None:
        """Send the unreadable records to the dead-letter topic: all of them or none.

        Returns once Kafka and ClickHouse have confirmed them. Raises `TooManyDeadLettersError`.
        """
        unreadable = [record for record in records if record.error is not None]
        if not unreadable:
            return
        partitions = defaultdict(list)
        for record in unreadable:
            partitions[record.topic, record.partition].append(record)
        for (topic, partition), rejected in partitions.items():
            await asyncio.to_thread(self._check, topic, partition, rejected)
        letters = await send_dead_letters(self._outbox, self._component, unreadable)
        await asyncio.to_thread(self._clickhouse.insert, "dead_letters", dead_letter_rows(letters))

    def _check(self, topic: str, partition: int, records: Sequence[Record[Any]]) -> None:
        if self._limit >= WINDOW:
            return
        offsets = {int(record.source.message.offset): record for record in records}
        first = min(offsets) - WINDOW + 1
        parameters = {"topic": topic, "partition": partition, "first": first}
        known = self._clickhouse.query(_KNOWN_OFFSETS, parameters)["offset"].to_pylist()
        offset = first_over_limit(sorted({*known, *offsets}), self._limit, min(offsets))
        if offset is not None:
            example = next(record for number, record in offsets.items() if number >= offset)
            raise TooManyDeadLettersError(
                f"{topic}, partition {partition}: more than {self._limit} of {WINDOW} consecutive "
                f"records are unreadable, the latest at offset {offset} ({example.error}). No more "
                "records are sent to the dead-letter topic. If this worker's release differs from "
                "the publishers', run the same release; if the records are at fault, start it once "
                f"with a greater BREAKOUT_DEAD_LETTER_LIMIT ({WINDOW} = no limit)"
            )


def first_over_limit(offsets: Sequence[int], limit: int, since: int) -> int | None:
    """Return the first offset from `since` on that ends a window with more than `limit` of them.

    `offsets` are sorted and distinct; None without such an offset.
    """
    pairs = zip(offsets, offsets[limit:], strict=False)
    return next((late for early, late in pairs if late >= since and late - early < WINDOW), None)
