"""aiokafka alone: decode and insert, nothing computed. The limit of a loop in Python."""

import asyncio
from collections.abc import Iterable
from datetime import datetime

import numpy as np
import pyarrow as pa
from aiokafka import AIOKafkaConsumer
from pydantic_core import from_json

from bench.peers import place

BATCH_ROWS = 250_000
"""As many as ours takes at most."""


def rows_of(values: Iterable[bytes]) -> pa.Table:
    """Return the observations of records as columns."""
    models: list[str] = []
    moments: list[int] = []
    totals: list[int] = []
    for value in values:
        one = from_json(value)
        at = round(datetime.fromisoformat(one["observed_at"]).timestamp() * 1000)
        if place.SLICES:
            models += one["models"]
            totals += one["downloads_all_time"]
            moments += [at] * len(one["models"])
        else:
            models.append(one["model_id"])
            totals.append(one["downloads_all_time"])
            moments.append(at)
    return pa.table(
        {
            "model_id": pa.array(models, pa.string()),
            "observed_at": pa.array(np.array(moments), pa.timestamp("ms", "UTC")),
            "downloads_all_time": pa.array(np.array(totals), pa.uint64()),
        }
    )


async def main() -> None:
    """Read, insert, commit."""
    clickhouse = place.client()
    consumer = AIOKafkaConsumer(
        place.TOPIC,
        bootstrap_servers=place.BROKERS,
        group_id="bench-bare",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4_000_000,
    )
    await consumer.start()
    try:
        while True:
            limit = 50 if place.SLICES else BATCH_ROWS
            batch = await consumer.getmany(timeout_ms=200, max_records=limit)
            if batch:
                values = [record.value for records in batch.values() for record in records]
                await asyncio.to_thread(clickhouse.insert_arrow, "plain", rows_of(values))
                await consumer.commit()
    finally:
        await consumer.stop()


if __name__ == "__main__":
    asyncio.run(main())
