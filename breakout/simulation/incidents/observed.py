"""Incidents of a span, as often and as large as they were observed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from breakout.simulation.catalog import Catalog, Model
from breakout.simulation.incidents import (
    Burst,
    Correction,
    DeadCounter,
    HalfStall,
    Incident,
    Renewal,
    Rollback,
    Stall,
    TruncatedListing,
)

_WEDNESDAY = 2
_HALF_STALLS_A_WEDNESDAY = 1 / 3
_HALF_STALLS_A_DAY = 1 / 406
_STALLS_A_DAY = 7 / 584
_ROLLBACKS_A_DAY = 2 / 584
_TRUNCATED_A_DAY = 1 / 493
_CORRECTIONS_A_DAY = 0.1
"""Per day and catalog: some every month."""
_BURSTS_A_LAUNCH = 0.19
"""Of the new models of a month that a public board ranked."""
_DEAD = 0.0005
"""Share of all models."""

_DAY = timedelta(days=1)


def observed_incidents(catalog: Catalog, first: date, last: date) -> tuple[Incident, ...]:
    """Return the incidents of a span of days, drawn by the catalog's seed."""
    rng = np.random.default_rng(catalog.seed_of("incidents", str(first), str(last)))
    start, end = (datetime.combine(day, time(), UTC) for day in (first, last))
    incidents: list[Incident] = [Renewal()]
    for number in range((last - first).days):
        incidents += _of_day(start + number * _DAY, catalog, rng)
    for model in catalog.models:
        incidents += _of_model(model, start, end, rng)
    return tuple(incidents)


def _of_day(day: datetime, catalog: Catalog, rng: np.random.Generator) -> Iterator[Incident]:
    wednesday = day.weekday() == _WEDNESDAY
    if rng.random() < (_HALF_STALLS_A_WEDNESDAY if wednesday else _HALF_STALLS_A_DAY):
        yield HalfStall(day)
    if rng.random() < _STALLS_A_DAY:
        lasts = int(rng.integers(1, 4)) * _DAY
        yield Stall(day, day + lasts, catch_up=2 * _DAY)
    if rng.random() < _ROLLBACKS_A_DAY:
        yield Rollback(day, share=rng.uniform(0.16, 0.39), lasting=rng.uniform(0.05, 0.45))
    if rng.random() < _TRUNCATED_A_DAY:
        yield TruncatedListing(day, day + _DAY)
    exist = [model.id for model in catalog.models if model.public_at < day]
    if exist and rng.random() < _CORRECTIONS_A_DAY:
        yield Correction(str(rng.choice(exist)), day, share=rng.uniform(0.05, 0.7))


def _of_model(
    model: Model, start: datetime, end: datetime, rng: np.random.Generator
) -> Iterator[Incident]:
    if rng.random() < _DEAD:
        yield DeadCounter(model.id, start + rng.random() * (end - start))
    if start <= model.public_at < end and rng.random() < _BURSTS_A_LAUNCH:
        downloads = int(model.launch.day_30 * rng.uniform(1, 10))
        yield Burst(model.id, model.public_at + int(rng.integers(1, 30)) * _DAY, downloads)
