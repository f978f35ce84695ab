"""Whether a group's positions still lie in the logs they were committed for.

A broker that lost the end of a log (a crash before its disk had it, an unclean leader election),
or a topic deleted and made anew, leaves positions that point at nothing or at other records than
before. Kafka keeps a position as a number, so each is committed with the record before it, which
tells two logs apart even when the new one has grown past the position.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

_ANSWER_SECONDS = 10.0


class LastRead(NamedTuple):
    """The record a consumer read last: its offset, and its timestamp in Unix milliseconds."""

    offset: int
    timestamp: int

    def metadata(self) -> str:
        """Return it as it is kept beside a committed position."""
        return f"read {self.offset} of {self.timestamp}"

    @classmethod
    def of(cls, metadata: str | None) -> Self | None:
        """Read what `metadata` wrote; null for what somebody else committed."""
        match (metadata or "").split():
            case ["read", offset, "of", timestamp] if offset.isdecimal() and timestamp.isdecimal():
                return cls(int(offset), int(timestamp))
        return None


@dataclass(frozen=True)
class LostPosition:
    """A position whose records are no longer in the log. `end` is null where it was not asked."""

    partition: TopicPartition
    position: int
    begin: int
    end: int | None
    why: str

    def __str__(self) -> str:
        log = f"from {self.begin}" + ("" if self.end is None else f" to {self.end}")
        return (
            f"{self.partition.topic}, partition {self.partition.partition}: position "
            f"{self.position} {REASONS[self.why]} (the log has offsets {log})"
        )


REASONS = {
    "beyond_end": "lies beyond the log's end: the broker lost records, or the topic was made anew",
    "other_log": "comes after another record than the one that was read last: the broker lost "
    "records and wrote others since, or the topic was made anew",
    "deleted": "lies before the log's start: records were deleted before they were read",
}
"""What `LostPosition.why` says, in words."""


async def lost_positions(
    consumer: Any,
    committed: Mapping[TopicPartition, OffsetAndMetadata],
    begins: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> list[LostPosition]:
    """Return the committed positions that no longer fit their logs.

    `begins` and `ends` are the logs' bounds. `consumer` has no group; it is assigned partitions.
    """
    lost, inside = [], {}
    for partition, (position, metadata) in committed.items():
        begin, end = begins[partition], ends[partition]
        read = LastRead.of(metadata)
        if position > end:
            lost.append(LostPosition(partition, position, begin, end, "beyond_end"))
        elif position < begin:
            lost.append(LostPosition(partition, position, begin, end, "deleted"))
        elif read is not None and begin <= read.offset < end:
            inside[partition] = read
    lost += [
        LostPosition(
            partition, committed[partition].offset, begins[partition], ends[partition], "other_log"
        )
        for partition in await replaced(consumer, inside)
    ]
    return sorted(lost, key=lambda one: one.partition)


async def replaced(consumer: Any, read: Mapping[TopicPartition, LastRead]) -> list[TopicPartition]:
    """Return the partitions that now hold another record at the offset that was read last.

    The offsets lie within the logs. A record that compaction removed cannot be compared, and
    counts as the same. `consumer` has no group; it is assigned these partitions. Raises
    `TimeoutError` when a broker does not answer within 10 s.
    """
    # The first record as late as the one that was read last: mostly it, and cheap to ask for.
    stamps = {partition: last.timestamp for partition, last in read.items()}
    found = await consumer.offsets_for_times(stamps) if stamps else {}
    return sorted(
        await _fetched_others(
            consumer,
            {
                partition: last
                for partition, last in read.items()
                if (at := found.get(partition)) is None or (at.offset, at.timestamp) != last
            },
        )
    )


async def _fetched_others(
    consumer: Any, read: Mapping[TopicPartition, LastRead]
) -> list[TopicPartition]:
    other: list[TopicPartition] = []
    left = set(read)
    if not left:
        return other
    consumer.assign(list(left))
    for partition, last in read.items():
        consumer.seek(partition, last.offset)
    async with asyncio.timeout(_ANSWER_SECONDS):
        while left:
            for partition, records in (await consumer.getmany(*left, timeout_ms=200)).items():
                left.discard(partition)
                found, last = records[0], read[partition]
                if found.offset == last.offset and found.timestamp != last.timestamp:
                    other.append(partition)
            # An offset whose record and all after it were compacted away yields nothing.
            left = {one for one in left if (await consumer.position(one)) <= read[one].offset}
    return other
