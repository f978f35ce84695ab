"""Times of scrapes: daily, hourly and irregular, at midnight and between."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random

MILLISECOND = timedelta(milliseconds=1)
HOUR = timedelta(hours=1)

# The edges of the stall memory (23.5 h) and of the longest interpolated gap (72 h) among them.
ODD_STEPS = (
    MILLISECOND,
    7 * HOUR + 123 * MILLISECOND,
    23 * HOUR,
    23.5 * HOUR - MILLISECOND,
    23.5 * HOUR,
    25 * HOUR,
    48 * HOUR,
    72 * HOUR - MILLISECOND,
    72 * HOUR,
    72 * HOUR + MILLISECOND,
    120 * HOUR,
)


def make_schedule(random: Random, first: date, days: int) -> list[datetime]:
    """Return times from about `first` on, over at least `days` days, ascending."""
    start = datetime.combine(first, time(), tzinfo=UTC)
    now = start + random.choice([timedelta(0), -30 * HOUR, 13 * HOUR + 37 * MILLISECOND])
    kinds = random.choice([("daily",), ("daily", "daily", "odd"), ("hourly", "daily", "odd")])
    times = [now]
    while now < start + timedelta(days=days):
        kind = random.choice(kinds)
        for _ in range(random.randint(1, 15)):
            now += {"daily": 24 * HOUR, "hourly": HOUR}.get(kind) or random.choice(ODD_STEPS)
            times.append(now)
    return times
