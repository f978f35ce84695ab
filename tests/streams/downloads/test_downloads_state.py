"""The downloads state: batches in any order and cut equal one computation of all observations."""

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
import pytest

from breakout.core.arrays import NULL
from breakout.core.counters import State
from breakout.core.knowledge import known
from breakout.core.times import DAY_MS
from streams.downloads.slice_columns import SliceColumns
from tests.oracle.counter_histories import seeded
from tests.streams.downloads.stored import Key, Stored

Observations = list[tuple[str, str, int, int]]
"""Source, model, moment and counter, NULL without one."""


def one_slice(source: str, at: int, counters: dict[str, int], origin: str = "live") -> SliceColumns:
    column = np.array(list(counters.values()), np.int64)
    return SliceColumns(
        source, origin, f"{source}-{at}", 0, at, True, list(counters), column, column, column, ()
    )


def expected(observations: Observations) -> tuple[dict[Key, Key], dict[Key, Key], dict[Key, Key]]:
    """Return the states, the grid and what it superseded, from all observations at once."""
    merged: dict[tuple[str, str, int], int] = {}
    for source, model, at, raw in observations:
        merged[source, model, at] = max(raw, merged.get((source, model, at), NULL))
    rows = sorted((key, raw) for key, raw in merged.items() if raw != NULL)
    series = sorted({key[:2] for key, _ in rows})
    number = np.array([series.index(key[:2]) for key, _ in rows], np.int64)
    moments = np.array([key[2] for key, _ in rows], np.int64)
    counters = np.array([one for _, one in rows], np.int64)
    found = known(number, moments, counters)
    correction = np.where(found.counters.correction > 0, found.counters.correction, NULL)
    columns = (
        found.counters.state,
        correction,
        found.knot_since,
        found.knot_until,
        found.opening,
    )
    states = dict(
        zip((key for key, _ in rows), zip(*(c.tolist() for c in columns), strict=True), strict=True)
    )
    states |= {key: (NULL,) * 5 for key, raw in merged.items() if raw == NULL}
    grids = []
    extras: tuple[tuple[Any, ...], ...] = ((), (found.superseded_at,))
    for grid, extra in zip((found.grid, found.superseded), extras, strict=True):
        names = [series[one] for one in grid.series.tolist()]
        values = (grid.cumulative, grid.downloads, grid.correction, grid.basis, grid.known_at)
        rows_of = list(zip(*(c.tolist() for c in (*values, *extra)), strict=True))
        keys = [(*name, day) for name, day in zip(names, grid.day.tolist(), strict=True)]
        if extra:
            keys = [(*key, row[4]) for key, row in zip(keys, rows_of, strict=True)]
        grids.append(dict(zip(keys, rows_of, strict=True)))
    grid_rows, superseded = grids
    return states, grid_rows, superseded


def history(random: Random) -> Observations:
    """Return a few series, some with moments without a counter."""
    found: Observations = []
    for number in range(random.randint(1, 3)):
        source = random.choice(["huggingface", "huggingface", "modelscope"])
        own = seeded(random.randrange(10**6))[: random.choice([10, 60, 200])]
        for at, raw in own:
            null = random.random() < 0.03
            found.append((source, f"org/model-{number}", at, NULL if null else raw))
    return found or history(random)


def arrivals(random: Random, observations: Observations) -> list[SliceColumns]:
    """Return slices of one or many observations, with repeats, in a random disorder."""
    ordered = sorted(observations, key=lambda one: one[2])
    for _ in range(random.choice([0, 0, 3])):
        begin = random.randrange(len(ordered))
        ordered[begin:begin] = ordered[max(begin - 10, 0) : begin]
    disorder = random.choice(["none", "none", "late", "late", "any", "backwards"])
    if disorder == "late":
        for _ in range(1 + len(ordered) // 15):
            late = ordered.pop(random.randrange(len(ordered)))
            ordered.insert(random.randint(0, len(ordered)), late)
    elif disorder == "any":
        random.shuffle(ordered)
    elif disorder == "backwards":
        ordered.reverse()
    return [one_slice(source, at, {model: raw}) for source, model, at, raw in ordered]


def batches(random: Random, slices: list[SliceColumns]) -> Iterator[list[SliceColumns]]:
    longest = random.choice([1, 3, 20, 1000])
    while slices:
        size = random.randint(1, longest)
        yield slices[:size]
        slices = slices[size:]


def check(seed: int, *, crashes: bool) -> Stored:
    random = Random(seed)
    observations = history(random)
    stored = Stored()
    for batch in batches(random, arrivals(random, observations)):
        crash = random.choice(["", "", "grid", "rows"]) if crashes else ""
        stored.work(batch, crash=crash, behind=random.random() < 0.5)
        if crash:
            stored.work(batch)
    stored.write()
    states, grid, superseded = expected(observations)
    found = {key: row[4:] for key, row in stored.observations.final().items()}
    assert found == states, seed
    assert stored.daily.final() == grid, seed
    assert stored.superseded.final() == superseded, seed
    return stored


@pytest.mark.parametrize("seed", range(100))
def test_stream_equals_batch_in_any_order(seed: int) -> None:
    check(seed, crashes=False)


@pytest.mark.parametrize("seed", range(1000, 1100))
def test_stream_equals_batch_when_states_are_lost(seed: int) -> None:
    check(seed, crashes=True)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_stream_equals_batch_on_thousands_of_histories() -> None:
    for seed in range(2000, 7000):
        check(seed, crashes=bool(seed % 2))


def test_growing_counter_needs_no_history() -> None:
    stored = Stored()
    for day in range(60):
        stored.work([one_slice("huggingface", day * DAY_MS + 5, {"org/model": day * 100})])
    assert stored.read == 0


def test_counter_that_seldom_changes_needs_no_history() -> None:
    stored = Stored()
    for day in range(60):
        counters = {"org/seldom": 50 + day // 3, "org/never": 9}
        stored.work([one_slice("huggingface", day * DAY_MS, counters)])
    assert stored.read == 0


def test_counter_that_is_held_needs_no_history() -> None:
    stored = Stored()
    for day in range(60):
        # Unchanged on every seventh day, which the next makes up for.
        total = 1000 * (day - 1 if day % 7 == 6 else day)
        stored.work([one_slice("huggingface", day * DAY_MS, {"org/model": total})])
    assert stored.read == 0
    states = [row[4] for row in stored.observations.final().values()]
    assert states.count(State.HELD) == 8
