"""When a source is due: every period of UTC, at a time of day or week of its own."""

import math
from dataclasses import dataclass

HOUR, DAY, WEEK = 3600, 86_400, 7 * 86_400
MONDAY = 4 * DAY
"""00:00 UTC of the first Monday after 1970-01-01, which was a Thursday."""

_MAX_JITTER_SECONDS = 900.0


@dataclass(frozen=True)
class Cadence:
    """Due every `period_seconds`, at `offset_seconds` after multiples of it in Unix time."""

    period_seconds: float
    offset_seconds: float = 0.0

    def latest_due(self, now: float) -> float:
        """Return the latest due time not after `now`, Unix seconds."""
        periods = math.floor((now - self.offset_seconds) / self.period_seconds)
        return periods * self.period_seconds + self.offset_seconds

    def next_due(self, now: float) -> float:
        """Return the first due time after `now`, Unix seconds."""
        return self.latest_due(now) + self.period_seconds

    @property
    def jitter_seconds(self) -> float:
        """Most seconds that a run starts late, so that not all instances send requests at once."""
        return min(self.period_seconds / 20, _MAX_JITTER_SECONDS)
