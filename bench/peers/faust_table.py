"""Faust: an agent with a Table (the cumulative of each model), rows inserted every second."""

import asyncio
from datetime import datetime

import faust

from bench.peers import place

app = faust.App(
    "bench-faust",
    broker=f"kafka://{place.BROKERS}",
    datadir=place.DIRECTORY,
    topic_partitions=4,
    web_enabled=False,
)


class Observation(faust.Record):
    """One message."""

    model_id: str
    observed_at: str
    downloads_all_time: int


class Slice(faust.Record):
    """One slice."""

    observed_at: str
    models: list[str]
    downloads_all_time: list[int]


topic = app.topic(place.TOPIC, value_type=Slice if place.SLICES else Observation)
cumulative = app.Table("cumulative", partitions=4)
clickhouse = place.client()


waiting: list[place.Row] = []


def add(model_id: str, at: datetime, total: int) -> None:
    """Update the table and queue the row."""
    highest, delta = place.clean(cumulative.get(model_id), total)
    cumulative[model_id] = highest
    waiting.append((model_id, at, total, highest, delta))


@app.agent(topic)
async def observe(stream: faust.StreamT) -> None:
    """Process messages; Faust allows changes of a table only here."""
    async for one in stream:
        at = datetime.fromisoformat(one.observed_at)
        if place.SLICES:
            for model_id, total in zip(one.models, one.downloads_all_time, strict=True):
                add(model_id, at, total)
        else:
            add(one.model_id, at, one.downloads_all_time)


@app.timer(1.0)
async def insert() -> None:
    """Insert the queued rows."""
    rows, waiting[:] = list(waiting), []
    await asyncio.to_thread(place.insert, clickhouse, rows)


if __name__ == "__main__":
    faust.Worker(app, loglevel="WARN", quiet=True).execute_from_commandline()
