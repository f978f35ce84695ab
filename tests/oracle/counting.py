"""Invented raw counters: growing, standing, rolled back, jumping, silent, near 2^60."""

from collections.abc import Collection, Iterable
from datetime import datetime
from random import Random

from breakout.contract.events import MAX_COUNTER

HUGE = 2**60
STEPS = ("grow", "stand", "fall", "zero", "tenfold", "null", "absent")


def make_counter(
    random: Random,
    moments: Iterable[datetime],
    stalls: Collection[datetime],
    *,
    steps: tuple[str, ...],
    scale: int,
) -> list[tuple[datetime, int | None]]:
    """Return raw counts, null where not said, at the moments except the absent ones.

    At the moments in `stalls` the counter mostly stands, else a step is drawn from `steps`.
    """
    count = random.choice([0, 0, scale, 5 * scale])
    if random.randint(1, 25) == 25:
        count = HUGE - 3
    counts: list[tuple[datetime, int | None]] = []
    for at in moments:
        step = "stand" if at in stalls and random.randint(1, 6) > 1 else random.choice(steps)
        if step == "absent":
            continue
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
