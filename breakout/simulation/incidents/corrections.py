"""Counters that fall for good."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from breakout.core.arrays import Float
from breakout.core.times import to_ms
from breakout.simulation.incidents.kinds import NEVER, Loss, Population, Span


@dataclass(frozen=True)
class Correction(Loss):
    """A lasting loss of a share of one model's all-time counter at `at`."""

    model_id: str
    at: datetime
    share: float = 0.1

    def lost(self, population: Population) -> tuple[Span, Float]:
        """Return when a share is missing, and which."""
        start = to_ms(self.at)
        span = Span(population.all(start), population.only(self.model_id, NEVER, start))
        return span, np.full(len(population.ids), self.share)
