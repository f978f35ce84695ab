"""Log end offsets and committed offsets, correct on every broker."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from breakout.retry import RetryPolicy

_COORDINATOR_RETRIES = RetryPolicy(first_wait_seconds=0.2, max_wait_seconds=0.2, timeout_seconds=10)


async def log_ends(
    consumer: Any, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, int]:
    """Return the offset that each partition's next record will have.

    The embedded broker's ListOffsets counts the last batch as one record. So the last batch is
    fetched, and the high watermark of that response is used. `consumer` has no group; it is
    assigned these partitions. Raises `TimeoutError` if a broker does not respond within 10 s.
    """
    ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
    begins = await consumer.beginning_offsets(partitions)
    open_ends = {partition: end for partition, end in ends.items() if end > begins[partition]}
    if not open_ends:
        return ends
    consumer.assign(list(open_ends))
    for partition, end in open_ends.items():
        consumer.seek(partition, end - 1)
    async with asyncio.timeout(10.0):
        while open_ends:
            await consumer.getmany(*open_ends, timeout_ms=100)
            for partition in list(open_ends):
                end = consumer.highwater(partition)
                if end is not None and end >= open_ends[partition]:
                    ends[partition] = end
                    del open_ends[partition]
    return ends


async def committed_positions(
    admin: Any, group: str, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, OffsetAndMetadata]:
    """Return the committed offset and metadata of each partition that has one.

    A new cluster creates its offsets topic on the first request, and a cluster that lost a
    coordinator elects another. Both are retried for 10 s, then the broker's error is raised.
    """
    found: dict[TopicPartition, OffsetAndMetadata] = await _COORDINATOR_RETRIES.call_async(
        lambda: admin.list_consumer_group_offsets(group, partitions=partitions),
        retry_on=lambda error: isinstance(error, KafkaError) and bool(error.retriable),
    )
    return {partition: committed for partition, committed in found.items() if committed.offset >= 0}
