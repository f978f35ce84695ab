"""Which moments a record may name as observed: those that a clock can have shown."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
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


def _clock_readings(event: Observed) -> Iterator[tuple[str, datetime]]:
    if isinstance(event, PointsSlice):
        yield from _entries("scored_since", event.scored_since)
        yield from _entries("latest_at", event.latest_at)
        return
    yield "observed_at", event.observed_at
    if isinstance(event, InferenceDay):
        yield "as_of", event.as_of


def _entries(column: str, entries: Iterable[Entry | None]) -> Iterator[tuple[str, Entry]]:
    for number, entry in enumerate(entries):
        if entry is not None:
            yield f"{column}.{number}", entry
