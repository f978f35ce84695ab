"""DuckDB: the nightly script. The topic is dumped to JSON lines, and SQL reads all of it.

It prints one line of JSON: seconds of dumping, of computing, and what each model gained.
"""

import json
import sys
import time
from pathlib import Path

import duckdb
from confluent_kafka import Consumer, TopicPartition

from bench.peers import place

_ONE_BY_ONE = """
SELECT model_id, observed_at, downloads_all_time
FROM read_json($dump, format = 'newline_delimited', columns = {
    model_id: 'VARCHAR', observed_at: 'TIMESTAMPTZ', downloads_all_time: 'UBIGINT'})"""
_SLICES = """
SELECT unnest(models) AS model_id, observed_at, unnest(downloads_all_time) AS downloads_all_time
FROM read_json($dump, format = 'newline_delimited', maximum_object_size = 16000000, columns = {
    models: 'VARCHAR[]', observed_at: 'TIMESTAMPTZ', downloads_all_time: 'UBIGINT[]'})"""
_SERIES = """
CREATE TABLE series AS
SELECT *, cumulative - lag(cumulative) OVER model AS delta
FROM (SELECT *, max(downloads_all_time) OVER model AS cumulative FROM ({observations})
      WINDOW model AS (PARTITION BY model_id ORDER BY observed_at))
WINDOW model AS (PARTITION BY model_id ORDER BY observed_at)"""


def dump(file: Path) -> None:
    """Write the messages that wait in the topic to a file, one a line."""
    consumer = Consumer({"bootstrap.servers": place.BROKERS, "group.id": "bench-duckdb"})
    partitions = [
        TopicPartition(place.TOPIC, number, 0)
        for number in consumer.list_topics(place.TOPIC).topics[place.TOPIC].partitions
    ]
    left = sum(consumer.get_watermark_offsets(one)[1] for one in partitions)
    consumer.assign(partitions)
    with file.open("wb") as lines:
        while left:
            messages = consumer.consume(min(left, 10_000), timeout=1.0)
            lines.writelines(message.value() + b"\n" for message in messages)
            left -= len(messages)
    consumer.close()


def main() -> None:
    """Dump, compute, and print the result."""
    folder = Path(place.DIRECTORY)
    started = time.perf_counter()
    dump(folder / "dump.jsonl")
    dumped = time.perf_counter()
    database = duckdb.connect(str(folder / "series.duckdb"))
    observations = _SLICES if place.SLICES else _ONE_BY_ONE
    database.execute(
        _SERIES.format(observations=observations), {"dump": str(folder / "dump.jsonl")}
    )
    result = database.execute("SELECT model_id, sum(delta)::BIGINT FROM series GROUP BY model_id")
    gained = dict(result.fetchall())
    computed = time.perf_counter()
    output = {"dump": dumped - started, "compute": computed - dumped, "gained": gained}
    json.dump(output, sys.stdout)


if __name__ == "__main__":
    main()
