"""Times of scrapes: daily, hourly and irregular, at midnight and between."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random

MILLISECOND = timedelta(milliseconds=1)
HOUR = timedelta(hours=1)

# The edges of the rules among them: between renewals (24 h), held and gap (4 days), the window of
# the rate (7 days) and that of a rollback (14 days).
ODD_STEPS = (
    MILLISECOND,
    7 * HOUR + 123 * MILLISECOND,
    23 * HOUR,
    24 * HOUR - MILLISECOND,
    24 * HOUR,
    25 * HOUR,
    48 * HOUR,
    96 * HOUR - MILLISECOND,
    96 * HOUR,
    96 * HOUR + MILLISECOND,
    7 * 24 * HOUR,
    14 * 24 * HOUR,
)


def make_schedule(random: Random, first: date, days: int) -> list[datetime]:
    """Return times from about `first` on, over at least `days` days, ascending."""
    start = datetime.combine(first, time(), tzinfo=UTC)
    now = start + random.choice([timedelta(0), -30 * HOUR, 13 * HOUR + 37 * MILLISECOND])
    kinds = random.choice(
        [("daily",), ("daily", "daily", "odd"), ("hourly", "daily", "daily", "odd")]
    )
    times = [now]
    while now < start + timedelta(days=days):
        kind = random.choice(kinds)
        most = {"daily": 15, "hourly": 15, "odd": 2}[kind]
        for _ in range(random.randint(1, most)):
            now += {"daily": 24 * HOUR, "hourly": HOUR}.get(kind) or random.choice(ODD_STEPS)
            times.append(now)
    return times
