"""Ages of models in whole days: the daily grid seen from the release date (docs/definitions.md)."""

from breakout.core.arrays import Int
from breakout.core.times import DAY_MS

MAX_AGE_DAYS = 365
MILESTONES = (7, 14, 30, 60, 90, 180, 365)


def age_at_end(day: Int, day0: Int) -> Int:
    """Return the age at the end of days, for models that were released at `day0`.

    `day` is in UTC days since 1970, `day0` in milliseconds since then. An age outside of 0 to 365
    is no point.
    """
    return day + 1 - day0 // DAY_MS
