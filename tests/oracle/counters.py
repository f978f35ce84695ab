"""Computes the clean series of one counter slowly, as its definition says.

It covers what each observation is, at which ones the true counter is known (the knots), the
cumulative between them, and one row a UTC day. Everything here takes the observations of one
series, `(moment, raw)` with the moment in milliseconds since 1970 UTC, in order of time, each
moment once. Arithmetic is exact, and every answer is found by looking at all observations again.

A UTC day holds its moments from 00:00 on, without 24:00, which belongs to the day after. At the
end of a day a correction whose knot is exactly 24:00 has therefore not happened yet, and the
interval that the end lies in is the one that ends at that knot.
"""

from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

DAY = 24 * 60 * 60 * 1000
RATE_WINDOW = 7 * DAY
HELD_FROM = 20
"""Downloads that a repository would have had since the latest change, had its rate gone on."""
LONGEST_HOLD = 4 * DAY
RETURN = 14 * DAY
"""How long after a fall the counter may come back for the fall to be a rollback."""

KNOTS = {"first", "rise", "idle", "correction"}
"""The states whose observations are knots."""

Observation = tuple[int, int]


class Knot(NamedTuple):
    """An observation at which the true counter is known."""

    moment: int
    raw: int
    correction: int


class Row(NamedTuple):
    """One UTC day of the grid; `downloads` is None on the first."""

    day: int
    cumulative: int
    downloads: int | None
    correction: int
    basis: str


def rolled_back(observations: list[Observation]) -> set[int]:
    """Return the positions of the observations inside a rollback."""
    inside: set[int] = set()
    for fall in range(1, len(observations)):
        moment, raw = observations[fall]
        peak = observations[fall - 1][1]
        if fall in inside or raw >= peak:
            continue
        for later in range(fall + 1, len(observations)):
            later_moment, later_raw = observations[later]
            if later_moment - moment > RETURN:
                break
            if later_raw >= peak:
                inside.update(range(fall, later))
                break
    return inside


def rate(observations: list[Observation], change: int) -> Fraction:
    """Return the downloads a day before the change at that position."""
    if change == 0:
        return Fraction(0)
    moment = observations[change][0]
    start = 0
    for position in range(change):
        if observations[position][0] <= moment - RATE_WINDOW:
            start = position
    rose = 0
    for position in range(start + 1, change + 1):
        growth = observations[position][1] - observations[position - 1][1]
        if growth > 0:
            rose += growth
    return Fraction(rose * DAY, moment - observations[start][0])


def unchanged_state(observations: list[Observation], position: int) -> str:
    """Return the state of an observation whose raw counter equals the one before."""
    change = position
    while change > 0 and observations[change - 1][1] == observations[position][1]:
        change -= 1
    last = position
    while last + 1 < len(observations) and observations[last + 1][1] == observations[position][1]:
        last += 1
    began = observations[change][0]
    since = observations[position][0] - began
    if since < DAY:
        return "between"
    if observations[last][0] - began > LONGEST_HOLD:
        return "idle"
    if rate(observations, change) * Fraction(since, DAY) < HELD_FROM:
        return "idle"
    return "held"


def states(observations: list[Observation]) -> list[str]:
    """Return what each observation is."""
    inside = rolled_back(observations)
    answer = []
    for position, (_, raw) in enumerate(observations):
        before = observations[position - 1][1]
        if position == 0:
            answer.append("first")
        elif position in inside:
            answer.append("rollback")
        elif raw > before:
            answer.append("rise")
        elif raw < before:
            answer.append("correction")
        else:
            answer.append(unchanged_state(observations, position))
    return answer


def knots(observations: list[Observation]) -> list[Knot]:
    """Return the observations at which the true counter is known."""
    answer = []
    for position, state in enumerate(states(observations)):
        moment, raw = observations[position]
        if state == "correction":
            answer.append(Knot(moment, raw, observations[position - 1][1] - raw))
        elif state in KNOTS:
            answer.append(Knot(moment, raw, 0))
    return answer


def growth(before: Knot, after: Knot, moment: int) -> Fraction:
    """Return the exact downloads from one knot to a moment before or at the next knot."""
    if after.correction:
        return Fraction(0)
    elapsed = Fraction(moment - before.moment, after.moment - before.moment)
    return (after.raw - before.raw) * elapsed


def interval(known: list[Knot], moment: int) -> tuple[Knot, Knot]:
    """Return the two neighbouring knots, the first before the moment, the second not."""
    for before, after in pairwise(known):
        if before.moment < moment <= after.moment:
            return before, after
    raise ValueError(f"no two knots around {moment}")


def cumulative(known: list[Knot], moment: int) -> int:
    """Return the cumulative when everything before that moment has happened."""
    before, after = interval(known, moment)
    exact = before.raw + growth(before, after, moment)
    return exact.numerator // exact.denominator


def basis(observations: list[Observation], found: list[str], known: list[Knot], moment: int) -> str:
    """Return what the cumulative at that moment rests on."""
    before, after = interval(known, moment)
    if after.moment - before.moment > LONGEST_HOLD:
        return "gap"
    for (observed, _), state in zip(observations, found, strict=True):
        if before.moment < observed < after.moment and state in {"held", "rollback"}:
            return "held"
    return "observed"


def downloads(known: list[Knot], day: int) -> int:
    """Return the growth within a day, piece by piece: from its start, over its knots, to its end.

    Only at its two ends is it rounded, as the cumulative is.
    """
    start, end = day * DAY, (day + 1) * DAY
    grown = 0
    value = cumulative(known, start)
    for knot in known:
        if start <= knot.moment < end:
            grown += knot.raw + knot.correction - value
            value = knot.raw
    return grown + cumulative(known, end) - value


def grid(observations: list[Observation]) -> list[Row]:
    """Return one row a UTC day, from the first knot's to the last whole one before the last knot.

    It checks nothing that follows from the definition, such as that the days add up.
    """
    found, known = states(observations), knots(observations)
    answer: list[Row] = []
    if not known:
        return answer
    day = known[0].moment // DAY
    while (day + 1) * DAY <= known[-1].moment:
        end = (day + 1) * DAY
        corrected = sum(knot.correction for knot in known if knot.moment // DAY == day)
        answer.append(
            Row(
                day,
                cumulative(known, end),
                downloads(known, day) if answer else None,
                corrected,
                basis(observations, found, known, end),
            )
        )
        day += 1
    return answer
