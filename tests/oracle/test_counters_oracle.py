"""The states, knots and grid of counters against the oracle, and what must hold for all of them."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings

from breakout.core.arrays import NULL
from breakout.core.counters import Counters, State, classify
from breakout.core.grid import Basis, Grid, daily
from tests.oracle import counters as oracle
from tests.oracle.counter_histories import histories, seeded
from tests.oracle.counters import DAY, Observation, Row

History = list[Observation]


def compute(many: Sequence[History]) -> tuple[Counters, Grid]:
    """Return the fast answer for many series at once."""
    series = np.repeat(np.arange(len(many)), [len(one) for one in many])
    flat = [observation for one in many for observation in one]
    at = np.array([moment for moment, _ in flat], np.int64)
    raw = np.array([value for _, value in flat], np.int64)
    found = classify(series, at, raw)
    return found, daily(series, at, raw, found)[0]


def answers(many: Sequence[History]) -> list[tuple[list[str], list[int], list[Row]]]:
    """Return states, corrections and rows of each series, in the oracle's form."""
    found, grid = compute(many)
    rows: list[list[Row]] = [[] for _ in many]
    for place in range(len(grid.day)):
        downloads = int(grid.downloads[place])
        rows[int(grid.series[place])].append(
            Row(
                int(grid.day[place]),
                int(grid.cumulative[place]),
                None if downloads == NULL else downloads,
                int(grid.correction[place]),
                Basis(grid.basis[place]).name.lower(),
            )
        )
    names = [State(one).name.lower() for one in found.state]
    assert [name in oracle.KNOTS for name in names] == found.knot.tolist()
    answer, begin = [], 0
    for own, history in zip(rows, many, strict=True):
        end = begin + len(history)
        answer.append((names[begin:end], found.correction[begin:end].tolist(), own))
        begin = end
    return answer


def compare(many: Sequence[History]) -> None:
    for history, (states, corrections, rows) in zip(many, answers(many), strict=True):
        assert states == oracle.states(history), history
        known = oracle.knots(history)
        expected = {knot.moment: knot.correction for knot in known}
        assert corrections == [expected.get(moment, 0) for moment, _ in history], history
        assert rows == oracle.grid(history), history


def compare_seeded(seeds: Iterable[int]) -> None:
    compare([seeded(seed) for seed in seeds])


@pytest.mark.parametrize("part", range(5))
def test_seeded_histories_equal_the_oracle(part: int) -> None:
    compare_seeded(range(part * 1000, (part + 1) * 1000))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_many_more_seeded_histories_equal_the_oracle(part: int) -> None:
    compare_seeded(range((part + 1) * 10_000, (part + 2) * 10_000))


@settings(max_examples=300, deadline=None)
@given(histories())
def test_random_histories_equal_the_oracle(history: History) -> None:
    compare([history])


def test_days_add_up() -> None:
    for _, _, rows in answers([seeded(seed) for seed in range(2000)]):
        for before, row in pairwise(rows):
            assert row.downloads is not None
            assert row.downloads >= 0
            assert row.day == before.day + 1
            assert row.cumulative == before.cumulative + row.downloads - row.correction


def begins_a_rate(history: History, moment: int) -> bool:
    """Tell whether the rate before some change is taken from that observation on."""
    moments = [one for one, _ in history]
    later = next(one for one in moments if one > moment)
    return any(moment + 7 * DAY <= one < later + 7 * DAY for one in moments)


def denser(history: History, random: Random) -> History:
    """Return a history with more observations between two of one renewal.

    But none of which a rate is taken, see the test below.
    """
    answer = list(history)
    changed = 0
    for place in range(len(history) - 1):
        (moment, raw), (until, following) = history[place : place + 2]
        if place == 0 or history[place - 1][1] != raw:
            changed = moment
        if raw != following:
            continue
        end = min(until, changed + DAY)
        for _ in range(2):
            if end - moment > 1:
                more = random.randrange(moment + 1, end)
                tried = sorted({*answer, (more, raw)})
                if not begins_a_rate(tried, more):
                    answer = tried
    return answer


def test_observations_between_two_of_one_renewal_change_no_row() -> None:
    plain = [seeded(seed) for seed in range(2000)]
    dense = [denser(history, Random(seed)) for seed, history in enumerate(plain)]
    assert sum(map(len, dense)) > 1.02 * sum(map(len, plain))
    for one, other, history in zip(answers(plain), answers(dense), dense, strict=True):
        assert one[2] == other[2], history


def test_observation_from_which_a_rate_is_taken_can_change_rows() -> None:
    """The exception to the rule above: 145 in 8 days are 18 a day, but in 7.1 days 20."""
    sparse = [(round(day * DAY), raw) for day, raw in ((19, 100), (27, 245), (28, 245), (29, 400))]
    compare([sparse])
    dense = [sparse[0], (round(19.9 * DAY), 100), *sparse[1:]]
    compare([dense])
    assert [answer[0][-2] for answer in answers([sparse, dense])] == ["idle", "held"]
