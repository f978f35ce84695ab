"""Quix Streams: a stateful application with a batching sink."""

from datetime import datetime
from typing import Any

from quixstreams import Application, State
from quixstreams.sinks import BatchingSink, SinkBatch

from bench.peers import place


class ClickHouseSink(BatchingSink):
    """Rows into ClickHouse at every checkpoint."""

    def setup(self) -> None:
        """Connect."""
        self._client = place.client()

    def write(self, batch: SinkBatch) -> None:
        """Insert what a partition had since the last checkpoint."""
        rows = [item.value for item in batch]
        if place.SLICES:
            rows = [row for slice_rows in rows for row in slice_rows]
        place.insert(self._client, rows)


def observe(one: dict[str, Any], state: State) -> place.Row:
    """Return the row of an observation; the state is its model's."""
    total = one["downloads_all_time"]
    highest, delta = place.clean(state.get("cumulative"), total)
    state.set("cumulative", highest)
    at = datetime.fromisoformat(one["observed_at"])
    return one["model_id"], at, total, highest, delta


def observe_slice(one: dict[str, Any], state: State) -> list[place.Row]:
    """Return the rows of a slice; the state is its source's, with a key a model."""
    at = datetime.fromisoformat(one["observed_at"])
    rows: list[place.Row] = []
    for model_id, total in zip(one["models"], one["downloads_all_time"], strict=True):
        highest, delta = place.clean(state.get(model_id), total)
        state.set(model_id, highest)
        rows.append((model_id, at, total, highest, delta))
    return rows


def main() -> None:
    """Run it."""
    app = Application(
        broker_address=place.BROKERS,
        consumer_group="bench-quix",
        auto_offset_reset="earliest",
        state_dir=place.DIRECTORY,
        loglevel="WARNING",
    )
    topic = app.topic(place.TOPIC, value_deserializer="json")
    stream = app.dataframe(topic)
    stream = stream.apply(observe_slice if place.SLICES else observe, stateful=True)
    stream.sink(ClickHouseSink())
    app.run()


if __name__ == "__main__":
    main()
