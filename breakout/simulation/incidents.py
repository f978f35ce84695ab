"""Incidents of the Hub's counters, at simulated times."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Stall:
    """Counters that are not renewed from `start` until `end`, when they catch up immediately.

    Daily scrapes at a fixed hour observe exactly one unchanged day during a stall of 48 hours.
    """

    start: datetime
    end: datetime
    share: float = 1.0
    """Share of the models that are affected, drawn by seed."""


@dataclass(frozen=True)
class Rollback:
    """A permanent loss of a share of one model's all-time counter at `at`."""

    model_id: str
    at: datetime
    share: float = 0.1


Incident = Stall | Rollback
