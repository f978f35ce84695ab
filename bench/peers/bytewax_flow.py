"""Bytewax: a keyed stateful map, rows collected and inserted by a sink."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import cluster_main

from bench.peers import place

Observation = tuple[str, tuple[datetime, int]]
"""Keyed by model: moment and counter."""


class _Partition(StatelessSinkPartition):
    def __init__(self) -> None:
        self._client = place.client()

    def write_batch(self, items: list[tuple[str, list[place.Row]]]) -> None:
        """Insert what was collected."""
        place.insert(self._client, [row for _, rows in items for row in rows])


class ClickHouseSink(DynamicSink):
    """Rows into ClickHouse."""

    def build(self, _step_id: str, _worker_index: int, _worker_count: int) -> _Partition:
        """Return a worker's part of it."""
        return _Partition()


def read(message: KafkaSourceMessage) -> Observation:
    """Read a message."""
    one = orjson.loads(message.value)
    return one["model_id"], (datetime.fromisoformat(one["observed_at"]), one["downloads_all_time"])


def read_slice(message: KafkaSourceMessage) -> Iterable[Observation]:
    """Read a slice."""
    one = orjson.loads(message.value)
    at = datetime.fromisoformat(one["observed_at"])
    for model_id, total in zip(one["models"], one["downloads_all_time"], strict=True):
        yield model_id, (at, total)


def observe(highest: int | None, one: tuple[datetime, int]) -> tuple[int, tuple[object, ...]]:
    """Return the new running maximum and the row, but for its model."""
    at, total = one
    highest, delta = place.clean(highest, total)
    return highest, (at, total, highest, delta)


def flow() -> Dataflow:
    """Return the dataflow."""
    dataflow = Dataflow("observations")
    source = KafkaSource([place.BROKERS], [place.TOPIC], batch_size=20 if place.SLICES else 10_000)
    messages = op.input("messages", dataflow, source)
    if place.SLICES:
        observations = op.flat_map("read", messages, read_slice)
    else:
        observations = op.map("read", messages, read)
    series = op.stateful_map("observe", observations, observe)
    rows = op.map("row", series, lambda one: ("all", (one[0], *one[1])))
    batches = op.collect("batch", rows, timeout=timedelta(seconds=0.5), max_size=50_000)
    op.output("insert", batches, ClickHouseSink())
    return dataflow


if __name__ == "__main__":
    cluster_main(flow(), [], 0)
