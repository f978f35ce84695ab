"""Which moments a record may name: those that a clock can have shown and ClickHouse can hold."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from breakout.contract import (
    ContractError,
    DerivativesSlice,
    DownloadsSlice,
    InferenceDay,
    LeaderboardSlice,
    ModelRecord,
    NameRecord,
    PointsSlice,
)

Entry = TypeVar("Entry")

MOST_AHEAD = timedelta(days=1)
"""How far ahead of this machine's clock an observation may be: all after it would be late."""

EARLIEST = date(1970, 1, 1)
LATEST = date(2149, 6, 6)
"""The last day that ClickHouse's Date holds."""

Observed = (
    DownloadsSlice
    | ModelRecord
    | NameRecord
    | InferenceDay
    | DerivativesSlice
    | LeaderboardSlice
    | PointsSlice
)


def check_moments(event: Observed) -> None:
    """Raise `ContractError` for a moment that cannot be, with the field and the bounds."""
    kind, now = type(event).__name__, datetime.now(UTC)
    for name, moment in _clock_readings(event):
        if moment > now + MOST_AHEAD:
            raise ContractError(
                f"{kind}.{name}: {moment.isoformat()} is more than a day ahead of "
                f"now ({now.isoformat(timespec='seconds')}): check the clock of what observed it"
            )
    for name, day in _days(event):
        if not EARLIEST <= day <= LATEST:
            raise ContractError(f"{kind}.{name}: {day} is not from {EARLIEST} to {LATEST}")


def _clock_readings(event: Observed) -> Iterator[tuple[str, datetime]]:
    if isinstance(event, PointsSlice):
        yield from _entries("scored_since", event.scored_since)
        yield from _entries("latest_at", event.latest_at)
        return
    yield "observed_at", event.observed_at
    if isinstance(event, InferenceDay):
        yield "as_of", event.as_of


def _days(event: Observed) -> Iterator[tuple[str, date]]:
    for name, moment in _clock_readings(event):
        yield name, moment.date()
    if isinstance(event, ModelRecord):
        if event.created_at is not None:
            yield "created_at", event.created_at.date()
        if event.released_at is not None:
            yield "released_at", event.released_at
    elif isinstance(event, InferenceDay):
        yield "day", event.day
    elif isinstance(event, LeaderboardSlice):
        yield "published_on", event.published_on
    elif isinstance(event, DerivativesSlice):
        for name, moment in _entries("created_at", event.created_at):
            yield name, moment.date()
    elif isinstance(event, PointsSlice):
        yield from _entries("released_at", event.released_at)


def _entries(column: str, entries: Iterable[Entry | None]) -> Iterator[tuple[str, Entry]]:
    for number, entry in enumerate(entries):
        if entry is not None:
            yield f"{column}.{number}", entry
