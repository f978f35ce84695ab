"""Downloads without users: very many in days, then none."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from breakout.core.arrays import Int
from breakout.core.times import to_ms
from breakout.simulation.incidents.kinds import Population

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Burst:
    """One model's additional downloads, evenly over a span.

    Observed were 50 million in 8 days, and 310,028 on a single day.
    """

    model_id: str
    start: datetime
    downloads: int
    lasts: timedelta = timedelta(days=1)

    def added(self, population: Population, time_ms: Int) -> Int:
        """Return the additional downloads until a time, one entry a model."""
        lasts = self.lasts // _MILLISECOND
        gone = (time_ms - to_ms(self.start)).clip(0, lasts)
        added: Int = population.only(self.model_id, self.downloads, 0) * gone // lasts
        return added
