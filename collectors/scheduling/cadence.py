"""When a source is due: whole periods of UTC, each source at its own time of day or week."""

import math
from dataclasses import dataclass

HOUR, DAY, WEEK = 3600, 86_400, 7 * 86_400
MONDAY = 4 * DAY
"""00:00 UTC of the first Monday after 1970-01-01, which was a Thursday."""

_MOST_JITTER_SECONDS = 900.0


@dataclass(frozen=True)
class Cadence:
    """Due every `period_seconds`, at `offset_seconds` after whole periods of Unix time."""

    period_seconds: float
    offset_seconds: float = 0.0

    def latest_due(self, now: float) -> float:
        """Return the last moment not after `now` at which the source was due, Unix seconds."""
        whole = math.floor((now - self.offset_seconds) / self.period_seconds)
        return whole * self.period_seconds + self.offset_seconds

    def next_due(self, now: float) -> float:
        """Return the first moment after `now` at which it is due, Unix seconds."""
        return self.latest_due(now) + self.period_seconds

    @property
    def jitter_seconds(self) -> float:
        """How late a run may begin, so that not all the world asks at once."""
        return min(self.period_seconds / 20, _MOST_JITTER_SECONDS)
