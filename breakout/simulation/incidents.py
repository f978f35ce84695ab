"""What goes wrong with the Hub's counters themselves, at moments of the simulated time."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Stall:
    """Counters that are not renewed from `start` until `end`, when they catch up at once.

    A scrape at one hour every day sees exactly one day without change when the stall lasts 48 h.
    """

    start: datetime
    end: datetime
    share: float = 1.0
    """Share of the models that stand still, drawn by seed."""


@dataclass(frozen=True)
class Rollback:
    """One model's all-time counter loses a share of its value at `at`, for good."""

    model_id: str
    at: datetime
    share: float = 0.1


Incident = Stall | Rollback
