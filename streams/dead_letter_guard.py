"""Unreadable records are buried as dead letters, unless they are so many that we are at fault.

A worker of a bad release reads nothing, and would carry every topic to the dead letters. So of any
`WINDOW` records in a row of a partition only some may be unreadable. Those are counted in
ClickHouse, not in memory: a worker that is started over and over buries no more for it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from breakout.contract import DeadLetter
from breakout.contract.times import to_ms
from streams.arrow import moments
from streams.batches import Record
from streams.clickhouse import WorkerClickHouse
from streams.outbox import Outbox

WINDOW = 100
"""Records in a row of one partition."""

_BURIED = """
    SELECT offset FROM dead_letters
    WHERE topic = {topic:String} AND partition = {partition:UInt32} AND offset >= {first:Int64}
    GROUP BY offset
"""


class TooManyDeadLettersError(RuntimeError):
    """So many records are unreadable that the reader must be wrong, not the records."""


class Burial:
    """Where one processor's unreadable records go."""

    def __init__(
        self, component: str, limit: int, outbox: Outbox, clickhouse: WorkerClickHouse
    ) -> None:
        """`limit` is how many of `WINDOW` records in a row may be unreadable."""
        self._component = component
        self._limit = limit
        self._outbox = outbox
        self._clickhouse = clickhouse

    async def bury(self, records: Iterable[Record[Any]]) -> None:
        """Send the unreadable ones to the dead letters, all of them or none.

        Returns when Kafka and ClickHouse have them. Raises `TooManyDeadLettersError`.
        """
        unreadable = [record for record in records if record.error is not None]
        if not unreadable:
            return
        partitions = defaultdict(list)
        for record in unreadable:
            partitions[record.topic, record.partition].append(record)
        for (topic, partition), some in partitions.items():
            await asyncio.to_thread(self._check, topic, partition, some)
        letters = await self._outbox.bury(self._component, unreadable)
        await asyncio.to_thread(self._clickhouse.insert, "dead_letters", _rows(letters))

    def _check(self, topic: str, partition: int, records: Sequence[Record[Any]]) -> None:
        if self._limit >= WINDOW:
            return
        offsets = {int(record.source.message.offset): record for record in records}
        first = min(offsets) - WINDOW + 1
        asked = {"topic": topic, "partition": partition, "first": first}
        known = self._clickhouse.query(_BURIED, asked)["offset"].to_pylist()
        crowded = first_crowded(sorted({*known, *offsets}), self._limit, min(offsets))
        if crowded is not None:
            example = next(record for offset, record in offsets.items() if offset >= crowded)
            raise TooManyDeadLettersError(
                f"{topic}, partition {partition}: more than {self._limit} of {WINDOW} records in a "
                f"row cannot be read, the latest at offset {crowded} ({example.error}). Nothing "
                "more is buried. If this worker is newer or older than what publishes, run the "
                "one that fits; if the records are at fault, start it once with a greater "
                f"BREAKOUT_DEAD_LETTER_LIMIT ({WINDOW} = no limit)"
            )


def first_crowded(offsets: Sequence[int], limit: int, since: int) -> int | None:
    """Return the first offset from `since` on that ends a window with more than `limit` of them.

    `offsets` are sorted and distinct; None when there is no such offset.
    """
    pairs = zip(offsets, offsets[limit:], strict=False)
    return next((late for early, late in pairs if late >= since and late - early < WINDOW), None)


def _rows(letters: Sequence[DeadLetter]) -> pa.Table:
    """Return rows of `dead_letters`."""
    return pa.table(
        {
            "topic": pa.array([one.topic for one in letters], pa.string()),
            "partition": pa.array([one.partition for one in letters], pa.uint32()),
            "offset": pa.array([one.offset for one in letters], pa.int64()),
            "component": pa.array([one.component for one in letters], pa.string()),
            "error": pa.array([one.error for one in letters], pa.string()),
            "failed_at": moments([to_ms(one.failed_at) for one in letters]),
        }
    )
