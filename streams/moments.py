"""Which moments a record may name as observed: those that a clock can have shown."""

from datetime import UTC, datetime, timedelta

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
    now = datetime.now(UTC)
    if isinstance(event, PointsSlice):
        readings = _latest(event)
    elif isinstance(event, InferenceDay):
        readings = [("observed_at", event.observed_at), ("as_of", event.as_of)]
    else:
        readings = [("observed_at", event.observed_at)]
    for name, moment in readings:
        if moment > now + MOST_AHEAD:
            raise ContractError(
                f"{type(event).__name__}.{name}: {moment.isoformat()} is more than a day ahead of "
                f"now ({now.isoformat(timespec='seconds')}): check the clock of what observed it"
            )


def _latest(event: PointsSlice) -> list[tuple[str, datetime]]:
    """Return the latest moment of each column, and where it is."""
    found = []
    for name in ("scored_since", "latest_at"):
        moments: list[datetime | None] = getattr(event, name)
        latest = max((one for one in moments if one is not None), default=None)
        if latest is not None:
            found.append((f"{name}.{moments.index(latest)}", latest))
    return found
