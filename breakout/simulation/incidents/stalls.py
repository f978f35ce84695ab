"""Counters that are not renewed for a day or more, and catch up."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from breakout.core.times import to_ms
from breakout.simulation.incidents.kinds import Hold, Population, Span

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Stall(Hold):
    """Counters that are not renewed from `start` until `end`, when they catch up in one lump.

    Without `Renewal`, daily scrapes at a fixed hour observe exactly one unchanged day during a
    stall of 48 hours. With it, a stall of 24 hours suffices.
    """

    start: datetime
    end: datetime
    share: float = 1.0
    """Share of the models that are affected, drawn by seed."""
    catch_up: timedelta = timedelta()
    """Span after the end within which the models catch up, each at its own moment."""

    def held(self, population: Population) -> Span:
        """Return when no counter is renewed."""
        name = self.start.isoformat()
        affected = population.draws("stall", name) < self.share
        late = population.draws("stall", name, "late") * (self.catch_up / _MILLISECOND)
        start, end = to_ms(self.start), to_ms(self.end) + late.astype(np.int64)
        return Span(population.all(start), np.where(affected, end, start))


@dataclass(frozen=True)
class HalfStall(Hold):
    """A day on which young repositories are not renewed and old ones are; nothing is lost.

    Observed on a third of all Wednesdays.
    """

    start: datetime
    lasts: timedelta = timedelta(days=1)
    shares: tuple[tuple[datetime, float], ...] = (
        (datetime(1970, 1, 1, tzinfo=UTC), 0.02),
        (datetime(2022, 4, 1, tzinfo=UTC), 0.1),
        (datetime(2025, 1, 1, tzinfo=UTC), 0.9),
        (datetime(2025, 4, 1, tzinfo=UTC), 0.995),
    )
    """Share of the repositories created since that are held. Observed are the first and the
    last; those between are assumed."""

    def held(self, population: Population) -> Span:
        """Return when no counter is renewed."""
        since = np.array([to_ms(created) for created, _ in self.shares])
        age_band = np.searchsorted(since, population.created_ms, side="right") - 1
        share = np.array([share for _, share in self.shares])[age_band]
        affected = population.draws("half stall", self.start.isoformat()) < share
        start, end = to_ms(self.start), to_ms(self.start + self.lasts)
        return Span(population.all(start), np.where(affected, end, start))
