"""Counters of very many models that fall and come back."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from breakout.core.arrays import Float
from breakout.core.times import DAY_MS, to_ms
from breakout.simulation.incidents.kinds import NEVER, Loss, Population, Span

_BACK_AFTER = ((1, 0.45), (2, 0.35), (3, 0.08), (4, 0.05), (5, 0.04), (6, 0.03))
"""Days until a counter comes back, and their shares: a day or two, and all within a week."""


@dataclass(frozen=True)
class Rollback(Loss):
    """Many all-time counters fall at `at`; most of them come back within a week.

    Observed were 16 to 19% of all models on 19 May 2025 and 39% on 13 June 2026. Of the latter
    nearly half were below their old peak four months later.
    """

    at: datetime
    share: float = 0.17
    """Share of the models whose counter falls."""
    depth: float = 0.1
    """Most that a counter loses, as a share; each model loses between a tenth of that and all."""
    lasting: float = 0.05
    """Share of the fallen ones that do not come back."""

    def lost(self, population: Population) -> tuple[Span, Float]:
        """Return when a share is missing, and which."""
        name = self.at.isoformat()
        fallen = population.draws("rollback", name) < self.share
        stays = population.draws("rollback", name, "lasting") < self.lasting
        days, shares = zip(*_BACK_AFTER, strict=True)
        drawn = population.draws("rollback", name, "back")
        back = np.array(days)[np.searchsorted(np.cumsum(shares)[:-1], drawn, side="right")]
        start = to_ms(self.at)
        end = np.where(stays, NEVER, start + back * DAY_MS)
        depth = self.depth * (0.1 + 0.9 * population.draws("rollback", name, "depth"))
        return Span(population.all(start), np.where(fallen, end, start)), depth
