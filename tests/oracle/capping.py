"""Capped cumulative downloads: what a model has without its bursts."""

from fractions import Fraction

from . import counters

CAP = 10
"""A day counts at most this many times the median of the model's days."""
FEWEST_DAYS = 2

Rows = dict[int, counters.Row]
"""Rows of the grid by the age at which their day ends, from 0 on."""


def _known_days(rows: Rows, age: int) -> list[int]:
    """Return the downloads of the days since the release that are known, up to an age."""
    return [
        row.downloads for at, row in rows.items() if 0 < at <= age and row.downloads is not None
    ]


def _before(rows: Rows) -> tuple[int, int]:
    """Return the downloads before the first known day since the release, and in how many days.

    There is a point. A row of the basis gap is none, but its downloads are known.
    """
    known = [age for age, row in sorted(rows.items()) if age > 0 and row.downloads is not None]
    first_point = min(age for age, row in rows.items() if row.basis != "gap")
    first_row = known[0] - 1 if known else first_point
    downloads = rows[first_point].cumulative
    if first_point > first_row:
        downloads -= sum(_known_days(rows, first_point))
    return downloads, max(first_row, 1)


def capped_cumulative(rows: Rows, age: int) -> int | None:
    """Return the capped cumulative at the age of a point.

    It is the cumulative less what exceeds the cap: of each day since the release, and of what the
    model had before the first known day, which counts as evenly spread over the days of its age
    then (one at least). The cap is 10 times the median of the known days up to that age, those of
    the basis gap and those with 0 downloads among them; the median of an even count is the mean of
    the two in the middle. It is never below 0, and None at age 0 and with fewer than three rows of
    the grid: the first, partial day and two others.
    """
    days = sorted(_known_days(rows, age))
    if age == 0 or len(days) < FEWEST_DAYS:
        return None
    middle = len(days) // 2
    # Ten times the mean of two is five times their sum: a whole number.
    cap = CAP * days[middle] if len(days) % 2 else CAP * (days[middle - 1] + days[middle]) // 2
    before, days_before = _before(rows)
    excess = sum(max(day - cap, 0) for day in days) + max(before - cap * days_before, 0)
    return max(rows[age].cumulative - excess, 0)


def capped_at_knot(rows: Rows, cumulative: int) -> int | None:
    """Return the capped cumulative at the last knot.

    The day of the knot is not over, so what came since the last point is not capped.
    """
    points = [age for age, row in rows.items() if row.basis != "gap"]
    if not points:
        return None
    last = max(points)
    capped = capped_cumulative(rows, last)
    return None if capped is None else max(capped + cumulative - rows[last].cumulative, 0)


def top_day_share(rows: Rows, age: int) -> float | None:
    """Return the share of the greatest day in the cumulative at the age of a point.

    What the model had before the first known day counts as evenly spread, as for the cap. It is
    None when the cumulative is 0. After a correction it can exceed 1.
    """
    if not rows[age].cumulative:
        return None
    before, days_before = _before(rows)
    greatest = max([Fraction(before, days_before), *map(Fraction, _known_days(rows, age))])
    return float(greatest / rows[age].cumulative)
