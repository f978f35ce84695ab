"""Invented raw counters: growing, unchanged, rolled back, jumping, missing, near 2^60."""

from collections.abc import Collection, Iterable
from datetime import datetime
from random import Random

from breakout.contract.events import MAX_COUNTER

HUGE = 2**60
STEPS = ("grow", "unchanged", "fall", "zero", "tenfold", "null", "absent")


def make_counter(
    random: Random,
    times: Iterable[datetime],
    stalls: Collection[datetime],
    *,
    steps: tuple[str, ...],
    scale: int,
) -> list[tuple[datetime, int | None]]:
    """Return raw counts, some of them null; times with the step "absent" have no observation.

    At the times in `stalls` the counter is mostly unchanged, otherwise `steps` has its step.
    """
    count = random.choice([0, 0, scale, 5 * scale])
    if random.randint(1, 25) == 25:
        count = HUGE - 3
    counts: list[tuple[datetime, int | None]] = []
    for at in times:
        step = "unchanged" if at in stalls and random.randint(1, 6) > 1 else random.choice(steps)
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
