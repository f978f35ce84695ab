"""Capped cumulative downloads: what a model has without its bursts."""

from . import counters

CAP = 10
"""A day counts at most this many times the median of the model's days."""
FEWEST_DAYS = 3


def capped_cumulative(rows: list[counters.Row]) -> int | None:
    """Return the capped cumulative at an age, from the rows of the grid up to that age.

    It is the cumulative before the first whole day (that of the first row, uncapped), plus for each
    day after it the lesser of its downloads and 10 times the median of these days, less their
    corrections, never below 0. All days of the grid up to that age count: also those before the
    release date, those of the basis gap and those with 0 downloads. The median of an even count is
    the mean of the two in the middle.

    It is None with fewer than three days whose downloads are known: those of the first, partial day
    are not.
    """
    days = [row.downloads for row in rows if row.downloads is not None]
    if len(days) < FEWEST_DAYS:
        return None
    days.sort()
    middle = len(days) // 2
    # Ten times the mean of two is five times their sum: a whole number.
    cap = CAP * days[middle] if len(days) % 2 else CAP * (days[middle - 1] + days[middle]) // 2
    first = rows[0].cumulative
    corrections = sum(row.correction for row in rows[1:])
    return max(first + sum(min(day, cap) for day in days) - corrections, 0)


def capped_at_knot(rows: list[counters.Row], cumulative: int) -> int | None:
    """Return the capped cumulative at the last knot, from all rows of the grid.

    The day of the knot is not over, so what came since the last row is not capped, like what came
    before the first whole day.
    """
    capped = capped_cumulative(rows)
    return None if capped is None else max(capped + cumulative - rows[-1].cumulative, 0)


def top_day_share(rows: list[counters.Row]) -> float | None:
    """Return the share of the greatest day in the cumulative, from the rows up to an age.

    It is None without a day that has downloads, and when the cumulative is 0. After a correction it
    can exceed 1.
    """
    days = [row.downloads for row in rows if row.downloads is not None]
    if not days or not rows[-1].cumulative:
        return None
    return max(days) / rows[-1].cumulative
