"""Inputs of the oracle: observations, registry records, frozen baselines."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from breakout.contract.events import DownloadsSlice, ModelRecord

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)

Row = dict[str, Any]


@dataclass(frozen=True)
class Observation:
    """Counters of a model at a source at one time, UTC to the millisecond."""

    source: str
    origin: str
    model_id: str
    observed_at: datetime
    downloads_all_time: int | None = None
    downloads_30d: int | None = None
    likes: int | None = None
    complete: bool = True
    """Whether the slice that it came in got all it wanted."""

    def __post_init__(self) -> None:
        if self.observed_at.tzinfo is not UTC or self.observed_at.microsecond % 1000:
            raise ValueError(f"observed_at {self.observed_at!r} is not UTC to the millisecond")


@dataclass(frozen=True)
class FrozenRow:
    """One row of a frozen baseline."""

    baseline: str
    size_bin: str
    age_days: int
    peers: int
    downloads: float | None
    as_of: datetime | None


def milliseconds(at: datetime) -> int:
    """Return whole milliseconds since 1970."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def moment_of(since_epoch: int) -> datetime:
    """Return the moment that many milliseconds after 1970 began."""
    return EPOCH + since_epoch * timedelta(milliseconds=1)


def midnight(day: date) -> datetime:
    """Return 00:00 UTC of the day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def day_number(day: date) -> int:
    """Return how many days after 1970-01-01 it is."""
    return (day - EPOCH.date()).days


def date_of(number: int) -> date:
    """Return the date that many days after 1970-01-01."""
    return EPOCH.date() + number * DAY


def observations_of(slices: Iterable[DownloadsSlice]) -> list[Observation]:
    """Return the observations of slices, one per model and slice."""
    return [
        Observation(
            source=piece.source,
            origin=piece.origin,
            model_id=model_id,
            observed_at=piece.observed_at,
            downloads_all_time=piece.downloads_all_time[i],
            downloads_30d=piece.downloads_30d[i],
            likes=piece.likes[i],
            complete=piece.complete,
        )
        for piece in slices
        for i, model_id in enumerate(piece.models)
    ]


def as_of(
    moment: datetime, observations: Iterable[Observation], models: Iterable[ModelRecord]
) -> tuple[list[Observation], list[ModelRecord]]:
    """Return what was known at a moment: observations up to it, and the registry as read then.

    `recompute(*as_of(moment, observations, models))` is every view as of the moment.
    """
    return (
        [one for one in observations if one.observed_at <= moment],
        [record for record in models if record.observed_at <= moment],
    )


def newest_records(records: Iterable[ModelRecord]) -> dict[str, ModelRecord]:
    """Return the newest record of each model.

    Raises `ValueError` for two different records of a model at one time.
    """
    newest: dict[str, ModelRecord] = {}
    for record in records:
        known = newest.get(record.model_id)
        if known is None or record.observed_at > known.observed_at:
            newest[record.model_id] = record
    for record in records:
        winner = newest[record.model_id]
        if record.observed_at == winner.observed_at and record != winner:
            raise ValueError(f"two newest records of {record.model_id} at {record.observed_at}")
    return dict(sorted(newest.items()))
