"""How far one observation reaches: which states and rows it can change, and what they rest on.

Let an observation at s be added, removed or changed, p the moment of the observation before it and
n of the one after it.

States and corrections change only in `[min(s - 14 d, p - 3 d), n + 14 d)`, because

- an observation at x is rolled back exactly if some fall at f <= x, not yet made up for at x, is
  made up for at some y > x with y <= f + 14 d. (Falls inside a rollback need no care: what makes up
  for the rollback makes up for them.) That takes x >= s - 14 d when s is x or y or between, and
  x < f + 14 d when s is the fall or the value before it, with f <= n;
- whether an unchanged one is idle or held rests on its run's beginning c, on the first observation
  after c + 4 d, however late that is, and on the rate from the latest one at or before c - 7 d on.
  Beyond c + 4 d it is idle whatever the rate. So c >= x - 4 d, and x < n + 11 d; and if s is that
  first one after c + 4 d, p <= c + 4 d <= x + 3 d;
- the others rest on the one before them.

Rows change only from the day of the last knot before that window to the day that ends at or holds
the first knot at or after it, because a row rests on the interval between knots that its end lies
in, and its downloads on the row before. Where there is no such knot, to the end of the grid.
"""

from bisect import bisect_left, bisect_right
from itertools import pairwise
from random import Random
from typing import NamedTuple

import pytest

from breakout.core.times import DAY_MS as DAY
from tests.oracle import counters as oracle
from tests.oracle.counter_histories import EDGES, HOUR, seeded
from tests.oracle.test_counters_oracle import History, answers

NEVER = 1 << 62


class Window(NamedTuple):
    """Moments from `begin` on and before `end`."""

    begin: int
    end: int

    def holds(self, moment: int) -> bool:
        return self.begin <= moment < self.end


def restated(moments: list[int], changed: int) -> Window:
    """Return where states can differ when the observation at one moment does."""
    before = [one for one in moments if one < changed]
    after = [one for one in moments if one > changed]
    begin = min(changed - 14 * DAY, before[-1] - 3 * DAY) if before else changed - 14 * DAY
    # Without a later one the changed one itself is the last.
    return Window(begin, after[0] + 14 * DAY if after else changed + 1)


def restated_days(window: Window, known: list[int]) -> tuple[int, int]:
    """Return the first and last day that can differ, from the knots outside a window of states."""
    before = [one for one in known if one < window.begin]
    after = [one for one in known if one >= window.end]
    first = before[-1] // DAY if before else -NEVER
    return first, (after[0] - 1) // DAY if after else NEVER


def edited(history: History, random: Random) -> tuple[History, int]:
    """Return a history that differs at one moment, and the moment."""
    answer = dict(history)
    moment, raw = random.choice(history)
    kind = random.random()
    if kind < 0.3:
        del answer[moment]
        return sorted(answer.items()), moment
    if kind < 0.8:
        wait = random.choice([HOUR, DAY // 2, random.randrange(4 * DAY), *EDGES])
        moment += random.choice([1, 1, -1]) * wait + random.choice([0, 0, 1, -1])
    answer[moment] = random.choice([raw, raw + 1, raw + 1000, max(raw - 1, 0), raw // 2, raw * 2])
    return sorted(answer.items()), moment


def compare_edits(seeds: range) -> None:
    """Check that nothing outside the windows changes, and that much inside does."""
    plain = [history for seed in seeds if (history := seeded(seed))]
    edits = [edited(history, Random(place)) for place, history in enumerate(plain)]
    changed_states = changed_rows = 0
    both = zip(answers(plain), answers([history for history, _ in edits]), strict=True)
    for before, (after, moment), (one, other) in zip(plain, edits, both, strict=True):
        moments = sorted({at for at, _ in before + after})
        window = restated(moments, moment)
        kept = [
            {
                at: (state, correction)
                for (at, _), state, correction in zip(history, answer[0], answer[1], strict=True)
                if at != moment
            }
            for history, answer in ((before, one), (after, other))
        ]
        differing = [at for at in kept[0] if kept[0][at] != kept[1][at]]
        assert all(window.holds(at) for at in differing), (before, moment, differing)
        changed_states += len(differing)
        known = [
            at
            for at, (state, _) in kept[0].items()
            if state in oracle.KNOTS and at not in differing
        ]
        first, last = restated_days(window, known)
        days = {row.day for row in set(one[2]) ^ set(other[2])}
        assert all(first <= day <= last for day in days), (before, moment, sorted(days))
        changed_rows += len(days)
    assert changed_states > len(plain) // 10
    assert changed_rows > len(plain)


def test_edit_changes_nothing_outside_its_window() -> None:
    compare_edits(range(3000))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(5))
def test_many_edits_change_nothing_outside_their_windows(part: int) -> None:
    compare_edits(range((part + 1) * 10_000, (part + 2) * 10_000))


def part_of(history: History, begin: int, end: int) -> History:
    """Return what the states from one moment to another rest on.

    That is 14 days before and after, and one more observation on either side.
    """
    moments = [at for at, _ in history]
    low = max(bisect_right(moments, begin - 14 * DAY) - 1, 0)
    return history[low : bisect_right(moments, end + 14 * DAY) + 1]


def test_states_rest_on_fourteen_days_and_one_more_on_either_side() -> None:
    plain = [history for seed in range(3000) if len(history := seeded(seed)) > 3]
    parts, spans = [], []
    for place, history in enumerate(plain):
        random = Random(place)
        begin = random.choice(history)[0]
        spans.append((begin, begin + random.choice([0, 0, DAY, 5 * DAY])))
        parts.append(part_of(history, *spans[-1]))
    assert sum(map(len, parts)) < 0.8 * sum(map(len, plain))
    both = zip(answers(plain), answers(parts), strict=True)
    for history, part, (begin, end), (one, other) in zip(plain, parts, spans, both, strict=True):
        own = [state for (at, _), state in zip(history, one[0], strict=True) if begin <= at <= end]
        cut = [state for (at, _), state in zip(part, other[0], strict=True) if begin <= at <= end]
        assert own == cut, (history, begin, end)


def test_observations_between_two_knots_are_near_one_of_them() -> None:
    """A knot is never further from the observations beside it than 4 days back, or 14 on."""
    for history, (states, _, _) in (
        (history, answers([history])[0]) for history in map(seeded, range(1000)) if history
    ):
        known = [
            at for (at, _), state in zip(history, states, strict=True) if state in oracle.KNOTS
        ]
        of = dict(zip((at for at, _ in history), states, strict=True))
        moments = list(of)
        for begin, end in pairwise(known):
            for at in moments[bisect_right(moments, begin) : bisect_left(moments, end)]:
                if of[at] == "rollback":
                    assert end - at <= 14 * DAY
                else:
                    assert at - begin <= 4 * DAY


def states(*observations: tuple[float, int]) -> list[str]:
    """Return the states of observations at days."""
    history = [(round(day * DAY), raw) for day, raw in observations]
    assert answers([history])[0][0] == oracle.states(history)
    return oracle.states(history)


def days_of(*days: float) -> list[int]:
    return [round(day * DAY) for day in days]


def test_return_after_fourteen_days_changes_the_fall() -> None:
    assert states((20, 1000), (21, 900), (30, 950))[1] == "correction"
    assert states((20, 1000), (21, 900), (30, 950), (35, 1000))[1] == "rollback"
    assert restated(days_of(20, 21, 30, 35), 35 * DAY).begin == 21 * DAY


def test_next_observation_changes_a_held_one_however_late() -> None:
    run = [(20, 0), (21, 100), (22, 100), (25, 100)]
    assert states(*run)[2:] == ["held", "held"]
    assert states(*run, (300, 100))[2:4] == ["idle", "idle"]
    assert restated(days_of(20, 21, 22, 25, 300), 300 * DAY).begin == 22 * DAY
    history = [(round(day * DAY), raw) for day, raw in [*run, (300, 100), (301, 100)]]
    assert part_of(history, 22 * DAY, 22 * DAY) == history[:-1]


def test_value_before_a_fall_changes_all_of_the_rollback() -> None:
    fall = [(30, 500), (43.9, 600), (44, 1000)]
    assert states((20, 1000), *fall)[1:] == ["rollback", "rollback", "rise"]
    assert states((20, 400), *fall)[1:] == ["rise", "rise", "rise"]
    assert restated(days_of(20, 30, 43.9, 44), 20 * DAY).end == 44 * DAY


def test_rate_reaches_eleven_days_back_and_one_more() -> None:
    run = [(27, 235), (31, 235)]
    assert states((19, 100), (20, 100), *run)[-1] == "held"
    # 135 in 7 days are 77 in 4; 35 in 7 days are 20, and 34 are less.
    assert states((10, 200), (20, 200), *run)[-1] == "held"
    assert states((10, 201), (20, 201), *run)[-1] == "idle"
    # Without one at 20, an older one takes its place.
    assert states((10, 150), *run)[-1] == "held"
    assert states((10, 151), *run)[-1] == "idle"
