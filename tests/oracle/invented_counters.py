"""Invented download counters: a Hub with renewals, stalls and rollbacks, and hostile counters.

What befalls many repositories at once (`Incidents`) is drawn once per source; what befalls one
alone is drawn with its counter. Moments are milliseconds since 1970 UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from breakout.contract.events import MAX_COUNTER

from .counter_histories import HOUR, Hub, burst, death
from .counters import DAY
from .inputs import milliseconds

HUGE = 2**60
STEPS = ("grow", "unchanged", "fall", "zero", "tenfold", "null")


@dataclass
class Incidents:
    """What befalls many repositories of a source; days count from the source's first."""

    days: int
    half_stalls: set[int] = field(default_factory=set)
    """Days on which young repositories are not renewed."""
    full_stalls: set[int] = field(default_factory=set)
    """Days on which none is."""
    slow_days: set[int] = field(default_factory=set)
    """Days that count half, and the day after the rest too."""
    rollbacks: list[tuple[int, int]] = field(default_factory=list)
    """From when, and until when, in milliseconds from the first day; some repositories fall."""


def make_incidents(random: Random, days: int) -> Incidents:
    """Return the incidents of a source over some days; many sources have none."""
    made = Incidents(days)
    for _ in range(random.choice([0, 1, 2, 4, 8])):
        day = random.randrange(days)
        kind = random.choice(["half stall", "half stall", "full stall", "slow day", "rollback"])
        if kind == "half stall":
            made.half_stalls.update(range(day, day + random.choice([1, 1, 1, 2])))
        elif kind == "full stall":
            made.full_stalls.update(range(day, day + random.choice([1, 1, 2, 3, 5])))
        elif kind == "slow day":
            made.slow_days.add(day)
        else:
            begin = day * DAY + random.randrange(24) * HOUR
            lasts = random.choice([1, 1, 2, 2, 3, 4, 5, 6, 7, 13, 14, 15, 20]) * DAY
            made.rollbacks.append((begin, begin + lasts))
    return made


def make_hub(
    random: Random, incidents: Incidents, *, scale: int, young: bool, eventful: bool
) -> Hub:
    """Return a counter that is renewed once a day, at an hour that wanders.

    An eventful one may have a correction, a burst, or be dead for a while or for good.
    """
    made = Hub(random, incidents.days)
    made.begin = random.choice([0, 0, 0, scale, 50 * scale])
    if random.randint(1, 25) == 25:
        made.begin = HUGE - 3
    rate = scale * random.choice([0, 0.5, 1, 1, 1, 2])
    made.daily = [int(rate * random.uniform(0, 2)) for _ in range(incidents.days + 2)]
    for day in sorted(incidents.slow_days):
        half = made.daily[day] // 2
        made.daily[day] -= half
        made.daily[day + 1] += half
    stalled = incidents.full_stalls | (incidents.half_stalls if young else set())
    hour = random.randrange(24) * HOUR
    for day in range(incidents.days + 2):
        if day not in stalled:
            made.renewals.append(day * DAY + hour)
        hour = min(max(hour + random.randint(-2 * HOUR, 2 * HOUR), 0), DAY - 1)
    for begin, end in incidents.rollbacks:
        if random.random() < 0.4:
            made.drops.append((begin, end, _part(random, made, begin)))
    if eventful:
        for _ in range(random.choice([1, 1, 2])):
            random.choice([burst, burst, death, death, _correct, _correct])(made)
    return made


def _part(random: Random, made: Hub, at: int) -> int:
    """Return a part of what has been downloaded by then, 1 at least."""
    return max(int(made.downloaded(at) * random.choice([0.001, 0.1, 0.3, 0.9, 1])), 1)


def _correct(made: Hub) -> None:
    begin = made.random.randrange(made.days) * DAY
    made.drops.append((begin, (made.days + 2) * DAY, _part(made.random, made, begin)))


def observe(
    random: Random, made: Hub, first: datetime, times: Iterable[datetime], *, nulls: float
) -> list[tuple[datetime, int | None]]:
    """Return what a scraper sees of a counter; a share of the counts is null."""
    start = milliseconds(first)
    counts: list[tuple[datetime, int | None]] = []
    for at in times:
        since = min(max(milliseconds(at) - start, 0), made.days * DAY)
        count = min(made.shown(since), MAX_COUNTER)
        counts.append((at, None if random.random() < nulls else count))
    return counts


def make_hostile_counter(
    random: Random, times: Iterable[datetime], *, scale: int
) -> list[tuple[datetime, int | None]]:
    """Return counts that obey no rule of the Hub."""
    count = random.choice([0, 0, scale, 5 * scale, MAX_COUNTER - scale])
    counts: list[tuple[datetime, int | None]] = []
    for at in times:
        step = random.choice(STEPS)
        count = min(_next_count(random, step, count, scale), MAX_COUNTER)
        counts.append((at, None if step == "null" else count))
    return counts


def _next_count(random: Random, step: str, count: int, scale: int) -> int:
    if step == "grow":
        return count + random.randint(0, 2 * scale)
    if step == "fall":
        return random.randint(0, count)
    if step == "tenfold":
        return count * random.randint(9, 11)
    return 0 if step == "zero" else count
