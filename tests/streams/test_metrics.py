"""Label sets that alerts watch exist before anything is counted."""

import re
from pathlib import Path

from prometheus_client import Counter

import breakout
from breakout import metrics

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


def test_every_table_that_workers_insert_into_has_its_failures() -> None:
    code = "\n".join(file.read_text() for file in sorted((FOLDER / "streams").glob("*.py")))
    inserted = set(re.findall(r'\binsert(?:\(|, )"(\w+)"', code))
    assert len(inserted) > 10
    assert inserted <= label_sets(metrics.INSERT_FAILURES)


def test_every_origin_of_dead_letters_has_its_count() -> None:
    code = "\n".join(file.read_text() for file in sorted((FOLDER / "collectors").glob("*.py")))
    sources = set(re.findall(r'^SOURCE = "([\w-]+)"', code, re.MULTILINE)) - {"registry"}
    topics = {f"breakout.{name}" for name in ("downloads", "models", "points", "names", "scores")}
    assert sources
    assert sources | topics <= label_sets(metrics.DEAD_LETTERS)
