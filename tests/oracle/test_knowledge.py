"""What was known of counters at each moment follows from the observations until then."""

from random import Random

import numpy as np
from numpy.typing import NDArray

from breakout.core.arrays import NULL
from breakout.core.counters import classify
from breakout.core.grid import Grid, daily
from breakout.core.knowledge import Known, known
from breakout.core.times import DAY_MS
from tests.oracle.counter_histories import seeded
from tests.oracle.counters import Observation

Values = tuple[int, ...]


def columns(many: list[list[Observation]]) -> tuple[NDArray[np.int64], ...]:
    series = np.repeat(np.arange(len(many)), [len(one) for one in many])
    flat = [observation for one in many for observation in one]
    at, raw = (np.array([one[place] for one in flat], np.int64) for place in (0, 1))
    return series, at, raw


def rows(grid: Grid, number: int) -> dict[int, Values]:
    """Return a series' rows by day, without the moment since which they are known."""
    of_series = grid.take(grid.series == number)
    columns = (of_series.cumulative, of_series.downloads, of_series.correction, of_series.basis)
    values = zip(*(column.tolist() for column in columns), strict=True)
    return dict(zip(of_series.day.tolist(), values, strict=True))


def rows_at(found: Known, number: int, moment: int) -> dict[int, Values]:
    """Return a series' rows as known at a moment."""
    return rows(found.grid.take(found.grid.known_at <= moment), number) | rows(
        found.superseded.take(
            (found.superseded.known_at <= moment) & (moment < found.superseded_at)
        ),
        number,
    )


def test_rows_and_knots_of_every_moment_follow_from_observations_until_then() -> None:
    many = [one for one in map(seeded, range(400)) if len(one) < 120]
    series, at, raw = columns(many)
    found = known(series, at, raw)
    superseded = 0
    for number, history in enumerate(many):
        begin = int(np.searchsorted(series, number))
        for length in range(1, len(history) + 1):
            part = slice(begin, begin + length)
            moment = history[length - 1][0]
            counters = classify(series[part], at[part], raw[part])
            grid, _ = daily(series[part], at[part], raw[part], counters)
            assert rows_at(found, number, moment) == rows(grid, number), (history, moment)
            since, until = found.knot_since[part], found.knot_until[part]
            knot = found.counters.knot[part] | (until > moment)
            knot &= (since == NULL) | (since <= moment)
            assert knot.tolist() == counters.knot.tolist(), (history, moment)
        superseded += int((found.superseded.series == number).sum())
    assert superseded > 100


def test_series_that_begins_at_a_knot_continues_the_grid() -> None:
    random = Random(7)
    compared = 0
    for history in map(seeded, range(400)):
        series, at, raw = columns([history])
        counters = classify(series, at, raw)
        grid, opening = daily(series, at, raw, counters)
        plain = [
            place
            for place in np.flatnonzero(counters.knot).tolist()
            if not counters.correction[at // DAY_MS == at[place] // DAY_MS].any()
        ]
        if not plain:
            continue
        begin = random.choice(plain)
        part = slice(begin, None)
        later = type(counters)(*(column[part] for column in vars(counters).values()))
        continued, openings = daily(series[part], at[part], raw[part], later, opening[part])
        assert openings.tolist() == opening[part].tolist()
        expected = grid.take(grid.day >= at[begin] // DAY_MS)
        for name, column in vars(expected).items():
            assert getattr(continued, name).tolist() == column.tolist(), (name, history)
        compared += len(continued.day)
    assert compared > 1000
