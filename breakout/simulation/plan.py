"""The plan of the demo's launches, by size bin and date.

In each size bin about ten models carry the median of the top 10: four designed to break out, and
eight contenders around the median; all others stay well below. The reference curve of a bin has
`day_30` downloads after 30 days and grows with the power `EXPONENT` of the age; a launch's level is
its share of that curve.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from breakout.simulation.curves import Launch, LevelShift
from breakout.simulation.names import Size, dense, mixture

EXPONENT = 1.1
FADE_DAYS = 900.0

CONTENDER_LEVELS = (1.04, 0.99, 0.94, 0.89, 0.84, 0.79, 0.74, 0.69)
EARLIER_BREAKOUTS = (0.27, 0.52, 0.81)
"""When the other breakouts of a bin were released, as a share of the span before its end."""
OVERTAKING = 0.5
"""Share of the breakouts that pass the median weeks after release, not in the first one."""
BEFORE_THE_SPAN = 0.06
"""Share of the models below the top that were released before the span."""


@dataclass(frozen=True)
class Bin:
    """A size bin's launches."""

    label: str
    count: int
    """Tracked models."""
    day_30: float
    """Downloads of the reference curve after 30 days."""
    recent: tuple[str, float]
    """Role of the featured launch of the last weeks, and its age in days at the end."""
    sizes: tuple[Size, ...]


@dataclass(frozen=True)
class Slot:
    """A planned launch."""

    bin: Bin
    role: str
    age: float
    """Days since it became public, at the end."""
    launch: Launch


def _dense(*totals_b: float) -> tuple[Size, ...]:
    return tuple(dense(total_b) for total_b in totals_b)


BINS = (
    Bin("<1B", 28, 2_400_000, ("breakout", 13), _dense(0.6, 0.35, 0.5, 0.8)),
    Bin("1-5B", 50, 2_200_000, ("breakout", 56), _dense(1, 1.5, 1.8, 2, 3, 4)),
    Bin("7-9B", 62, 2_000_000, ("breakout", 24), _dense(7, 8, 9, 5.6)),
    Bin(
        "10-50B",
        56,
        1_150_000,
        ("slow_burner", 66),
        (*_dense(12, 14, 24, 28, 33), mixture(31, 3)),
    ),
    Bin("50-100B", 30, 700_000, ("breakout", 38), (*_dense(52, 66, 73), mixture(82, 4))),
    Bin(
        "100-250B",
        30,
        560_000,
        ("jump", 27),
        (mixture(106, 12), mixture(118, 5), mixture(180, 15), mixture(225, 11)),
    ),
    Bin(
        "250B+",
        34,
        500_000,
        ("breakout", 46),
        (mixture(310, 21), mixture(420, 28), mixture(640, 36), mixture(1020, 33)),
    ),
)


def slots(bin_: Bin, days: int, rng: np.random.Generator) -> Iterator[Slot]:
    """Yield the launches of a bin in a span of `days` days."""
    role, age = bin_.recent
    yield Slot(bin_, role, age, _designed(bin_, role, age, rng))
    for share in EARLIER_BREAKOUTS:
        age = days * (share + rng.uniform(-0.05, 0.05))
        yield Slot(bin_, "breakout", age, _designed(bin_, "breakout", age, rng))
    for i, level in enumerate(rng.permutation(CONTENDER_LEVELS)):
        age = days * (0.15 + 0.82 * (i + rng.uniform(0.2, 0.8)) / len(CONTENDER_LEVELS))
        exponent = EXPONENT + rng.uniform(-0.03, 0.03)
        yield Slot(bin_, "contender", age, Launch(bin_.day_30 * level, exponent, FADE_DAYS))
    rest = bin_.count - 1 - len(EARLIER_BREAKOUTS) - len(CONTENDER_LEVELS)
    for i in range(rest):
        age = days * (1 + BEFORE_THE_SPAN) * (i + rng.uniform(0.05, 0.95)) / rest
        yield _below(bin_, age, "flop" if i % 5 == 1 else "average", rng)


def _designed(bin_: Bin, role: str, age: float, rng: np.random.Generator) -> Launch:
    if role == "slow_burner":
        return Launch(
            bin_.day_30 * 2.0, EXPONENT, FADE_DAYS, LevelShift(46, before=0.2, width_days=5)
        )
    if role == "jump":
        # Models appear between 06:00 and 16:00, so this falls between two midnights.
        return Launch(
            bin_.day_30 * 1.9, EXPONENT, FADE_DAYS, LevelShift(15.05, before=0.05, width_days=0.02)
        )
    level = rng.uniform(1.7, 3.6)
    # The shift of a recent launch must be over by the end.
    shift = LevelShift(
        rng.uniform(9, max(min(30, age - 5), 9)),
        before=rng.uniform(0.2, 0.45) / level,
        width_days=3,
    )
    return Launch(
        bin_.day_30 * level, EXPONENT, FADE_DAYS, shift if rng.random() < OVERTAKING else None
    )


def _below(bin_: Bin, age: float, role: str, rng: np.random.Generator) -> Slot:
    if role == "flop":
        level, exponent = np.exp(rng.normal(np.log(0.012), 0.4)), rng.uniform(0.5, 0.8)
    else:
        level = np.clip(np.exp(rng.normal(np.log(0.18), 0.6)), 0.03, 0.5)
        exponent = rng.uniform(0.85, 1.1)
    launch = Launch(float(bin_.day_30 * level), exponent, rng.uniform(200, 800))
    return Slot(bin_, role, age, launch)
