"""Label sets that alerts watch exist before the first count; gauges survive a rebalance."""

import re
from pathlib import Path

import faust
from prometheus_client import REGISTRY, Counter

import breakout
from breakout.core.counters import State
from breakout.observability import metrics
from breakout.settings import Settings
from streams.app import create_app

FOLDER = Path(breakout.__file__).resolve().parent.parent


def label_sets(counter: Counter) -> set[str]:
    """Return the values of a counter's one label; each must be at 0 or above, so it exists."""
    (name,) = counter._labelnames
    return {
        sample.labels[name]
        for family in counter.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
    }


def test_every_inserted_table_has_a_failure_count() -> None:
    code = "\n".join(file.read_text() for file in sorted((FOLDER / "streams").rglob("*.py")))
    inserted = set(re.findall(r'(?:\binsert(?:\(|, )|\()"(\w+)", rows\.', code))
    assert {"downloads_log", "points_log", "ratings_log"} < inserted
    assert inserted <= label_sets(metrics.INSERT_FAILURES)


def test_every_origin_of_dead_letters_has_a_count() -> None:
    code = "\n".join(file.read_text() for file in sorted((FOLDER / "collectors").rglob("*.py")))
    sources = set(re.findall(r'^SOURCE = "([\w-]+)"', code, re.MULTILINE)) - {"registry"}
    topics = {f"breakout.{name}" for name in ("downloads", "models", "daily", "names", "scores")}
    assert sources
    assert sources | topics <= label_sets(metrics.DEAD_LETTERS)


def test_every_state_of_an_observation_has_a_count() -> None:
    assert label_sets(metrics.OBSERVATION_STATES) == {state.name.lower() for state in State}


async def test_owned_partitions_are_counted_on_assignment() -> None:
    app = create_app(Settings())

    def owned(processor: str) -> float | None:
        return REGISTRY.get_sample_value("breakout_partitions_owned", {"processor": processor})

    def assigned(*partitions: int) -> set[faust.types.TP]:
        topics = ("breakout.models", "breakout.downloads", "breakout.daily")
        return {faust.types.TP(topic, n) for topic in topics for n in partitions}

    await app.on_partitions_assigned.send(assigned(0, 1, 2, 3))
    await app.on_partitions_revoked.send(assigned(0, 1, 2, 3))
    assert owned("downloads") == 4, "until the next assignment, which follows immediately"
    await app.on_partitions_assigned.send(assigned(1, 3))
    assert (owned("downloads"), owned("ram"), owned("derivatives")) == (2, 2, 0)
