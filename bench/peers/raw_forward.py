"""Records forwarded to ClickHouse as they are, which reads the JSON and computes the deltas.

What ClickHouse's own Kafka engine does, with aiokafka in its place: bytes in, bytes out. The
series is a view over window functions (`bench.raw_view`).
"""

import asyncio

from aiokafka import AIOKafkaConsumer

from bench.peers import place

SETTINGS = {"input_format_skip_unknown_fields": 1, "date_time_input_format": "best_effort"}


async def main() -> None:
    """Read, insert, commit."""
    clickhouse = place.client()
    consumer = AIOKafkaConsumer(
        place.TOPIC,
        bootstrap_servers=place.BROKERS,
        group_id="bench-raw",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4_000_000,
    )
    await consumer.start()
    try:
        while True:
            limit = 50 if place.SLICES else 250_000
            batch = await consumer.getmany(timeout_ms=200, max_records=limit)
            if batch:
                values = [record.value for records in batch.values() for record in records]
                await asyncio.to_thread(
                    clickhouse.raw_insert,
                    "raw",
                    insert_block=b"\n".join(values),
                    settings=SETTINGS,
                    fmt="JSONEachRow",
                )
                await consumer.commit()
    finally:
        await consumer.stop()


if __name__ == "__main__":
    asyncio.run(main())
