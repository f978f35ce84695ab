"""Counters that are never renewed again."""

from dataclasses import dataclass
from datetime import datetime

from breakout.core.times import to_ms
from breakout.simulation.incidents.kinds import NEVER, Hold, Population, Span


@dataclass(frozen=True)
class DeadCounter(Hold):
    """One model of which neither counter moves from a time on, though it is downloaded."""

    model_id: str
    since: datetime

    def held(self, population: Population) -> Span:
        """Return when no counter is renewed."""
        start = to_ms(self.since)
        return Span(population.all(start), population.only(self.model_id, NEVER, start))
