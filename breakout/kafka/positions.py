"""Detection of committed positions that no longer match their logs.

A broker that lost the end of a log (a crash before a flush, an unclean leader election), or a topic
that was deleted and recreated, leaves positions that point at nothing or at other records than
before. Kafka stores a position as a number only. So each is committed with the last record before
it as metadata, which identifies the log even after the new one has grown past the position.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

_FETCH_SECONDS = 10.0


class LastRecord(NamedTuple):
    """The last record a consumer read: its offset, and its timestamp in Unix milliseconds."""

    offset: int
    timestamp: int

    def metadata(self) -> str:
        """Return the metadata of a committed position."""
        return f"read {self.offset} of {self.timestamp}"

    @classmethod
    def of(cls, metadata: str | None) -> Self | None:
        """Parse metadata of a committed position; None if another program committed it."""
        match (metadata or "").split():
            case ["read", offset, "of", timestamp] if offset.isdecimal() and timestamp.isdecimal():
                return cls(int(offset), int(timestamp))
        return None


@dataclass(frozen=True)
class LostPosition:
    """A position whose records are no longer in the log; `end` is None if unknown."""

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
    "beyond_end": "is beyond the end of the log: the broker lost records, or the topic was "
    "recreated",
    "other_log": "follows another record than the last one read: the broker lost records and wrote "
    "others since, or the topic was recreated",
    "deleted": "is before the start of the log: records were deleted before they were read",
}
"""The values of `LostPosition.why`, in words."""


async def lost_positions(
    consumer: Any,
    committed: Mapping[TopicPartition, OffsetAndMetadata],
    begins: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> list[LostPosition]:
    """Return the committed positions that no longer match their logs.

    `begins` and `ends` are the logs' bounds. `consumer` has no group; it is assigned partitions.
    """
    lost, inside = [], {}
    for partition, (position, metadata) in committed.items():
        begin, end = begins[partition], ends[partition]
        read = LastRecord.of(metadata)
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
        for partition in await overwritten(consumer, inside)
    ]
    return sorted(lost, key=lambda position: position.partition)


async def overwritten(
    consumer: Any, last_records: Mapping[TopicPartition, LastRecord]
) -> list[TopicPartition]:
    """Return the partitions that now hold another record at the offset that was read last.

    The offsets must be within the logs. A record removed by compaction cannot be compared and
    counts as the same. `consumer` has no group; it is assigned these partitions. Raises
    `TimeoutError` if a broker does not respond within 10 s.
    """
    # The first record with at least that timestamp is mostly the one read last, and cheap to find.
    timestamps = {partition: last.timestamp for partition, last in last_records.items()}
    found = await consumer.offsets_for_times(timestamps) if timestamps else {}
    return sorted(
        await _fetched_and_differing(
            consumer,
            {
                partition: last
                for partition, last in last_records.items()
                if (at := found.get(partition)) is None or (at.offset, at.timestamp) != last
            },
        )
    )


async def _fetched_and_differing(
    consumer: Any, last_records: Mapping[TopicPartition, LastRecord]
) -> list[TopicPartition]:
    differing: list[TopicPartition] = []
    left = set(last_records)
    if not left:
        return differing
    consumer.assign(list(left))
    for partition, last in last_records.items():
        consumer.seek(partition, last.offset)
    async with asyncio.timeout(_FETCH_SECONDS):
        while left:
            for partition, records in (await consumer.getmany(*left, timeout_ms=200)).items():
                left.discard(partition)
                found, last = records[0], last_records[partition]
                if found.offset == last.offset and found.timestamp != last.timestamp:
                    differing.append(partition)
            # An offset whose record and all after it were compacted away yields nothing.
            left = {
                partition
                for partition in left
                if (await consumer.position(partition)) <= last_records[partition].offset
            }
    return differing
