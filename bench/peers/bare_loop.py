"""aiokafka alone: decode and insert, without computing: the limit of a Python loop."""

import asyncio
from collections.abc import Iterable
from datetime import datetime

import numpy as np
import pyarrow as pa
from pydantic_core import from_json

from bench.peers import place
from bench.peers.consume import consume


def rows_of(values: Iterable[bytes]) -> pa.Table:
    """Return the observations of records as columns."""
    models: list[str] = []
    times: list[int] = []
    totals: list[int] = []
    for value in values:
        one = from_json(value)
        at = round(datetime.fromisoformat(one["observed_at"]).timestamp() * 1000)
        if place.SLICES:
            models += one["models"]
            totals += one["downloads_all_time"]
            times += [at] * len(one["models"])
        else:
            models.append(one["model_id"])
            totals.append(one["downloads_all_time"])
            times.append(at)
    return pa.table(
        {
            "model_id": pa.array(models, pa.string()),
            "observed_at": pa.array(np.array(times), pa.timestamp("ms", "UTC")),
            "downloads_all_time": pa.array(np.array(totals), pa.uint64()),
        }
    )


def main() -> None:
    """Insert the observations of records."""
    clickhouse = place.client()
    asyncio.run(
        consume("bench-bare", lambda values: clickhouse.insert_arrow("plain", rows_of(values)))
    )


if __name__ == "__main__":
    main()
