"""Listings that lack many of their rows."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from breakout.core.arrays import Flag
from breakout.core.times import to_ms
from breakout.simulation.incidents.kinds import Population


@dataclass(frozen=True)
class TruncatedListing:
    """Listings lack a share of the models from `start` until `end`, and look complete.

    Observed was a snapshot with three quarters of its rows missing, once. A single model can still
    be requested.
    """

    start: datetime
    end: datetime
    share: float = 0.75

    def missing(self, population: Population, time_ms: int) -> Flag:
        """Return which models no listing has at a time."""
        if not to_ms(self.start) <= time_ms < to_ms(self.end):
            return np.zeros(len(population.ids), np.bool_)
        return population.draws("listing", self.start.isoformat()) < self.share
