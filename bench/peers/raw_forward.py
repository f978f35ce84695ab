"""Records forwarded unchanged to ClickHouse, which parses the JSON and computes the deltas.

Like ClickHouse's Kafka engine, but with aiokafka. The series is a view over window functions
(`bench.raw_view`).
"""

import asyncio

from bench.peers import place
from bench.peers.consume import consume

SETTINGS = {"input_format_skip_unknown_fields": 1, "date_time_input_format": "best_effort"}


def main() -> None:
    """Insert the values of records."""
    clickhouse = place.client()

    def insert(values: list[bytes]) -> None:
        lines = b"\n".join(values)
        clickhouse.raw_insert("raw", insert_block=lines, settings=SETTINGS, fmt="JSONEachRow")

    asyncio.run(consume("bench-raw", insert))


if __name__ == "__main__":
    main()
