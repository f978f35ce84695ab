"""Ages of models, and cumulative downloads at whole-day ages (docs/definitions.md)."""

from dataclasses import dataclass

import numpy as np

from breakout.core.arrays import Int
from breakout.core.times import DAY_MS

MAX_AGE_DAYS = 365
MAX_GAP_MS = 3 * DAY_MS
MILESTONES = (7, 14, 30, 60, 90, 180, 365)


@dataclass(frozen=True)
class Points:
    """Cumulative downloads at whole-day ages."""

    row: Int
    """Index of the observation that closed the interval the point lies in."""
    age: Int
    """Whole days since day 0, from 0 to 365."""
    cumulative: Int
    """Downloads at that moment, interpolated and rounded down."""


def points_between(
    day0: Int, at_before: Int, cumulative_before: Int, at: Int, cumulative: Int
) -> Points:
    """Return the points after one observation up to and including the next, for many pairs.

    All times are milliseconds UTC. `at_before` is negative where there is no observation before.
    Between observations more than 3 days apart nothing is interpolated; an observation at the very
    moment of an age is that age's point in any case.
    """
    has_before = at_before >= 0
    bridged = has_before & (at - at_before <= MAX_GAP_MS)
    last = (at - day0) // DAY_MS
    exact = last * DAY_MS + day0 == at
    first = np.where(bridged, (at_before - day0) // DAY_MS + 1, np.where(exact, last, last + 1))
    first = np.maximum(first, 0)
    last = np.minimum(last, MAX_AGE_DAYS)
    count = np.maximum(last - first + 1, 0)
    row = np.repeat(np.arange(len(at)), count)
    step = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    age = first[row] + step
    elapsed = day0[row] + age * DAY_MS - at_before[row]
    interval = np.where(bridged[row], at[row] - at_before[row], 1)
    grown = np.where(bridged[row], cumulative[row] - cumulative_before[row], 0)
    # Quotient and remainder apart: growth times milliseconds would pass 2^63.
    whole, rest = grown // interval, grown % interval
    interpolated = cumulative_before[row] + whole * elapsed + rest * elapsed // interval
    value = np.where(bridged[row], interpolated, cumulative[row])
    return Points(row, age, value)
