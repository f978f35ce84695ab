"""Which moments a record may name as observed: those that a clock can have shown."""

from datetime import UTC, datetime, timedelta

from breakout.contract import (
    ContractError,
    DerivativesSlice,
    DownloadsSlice,
    Event,
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

_OBSERVED: dict[type[Event], tuple[str, ...]] = {
    InferenceDay: ("observed_at", "as_of"),
    PointsSlice: ("scored_since", "latest_at"),
}
"""The fields that tell when something was observed, where they are not `observed_at` alone."""


def check_moments(event: Observed) -> None:
    """Raise `ContractError` for a moment that cannot be, with the field and the bounds."""
    now = datetime.now(UTC)
    for field in _OBSERVED.get(type(event), ("observed_at",)):
        said = getattr(event, field)
        moments = said if isinstance(said, list) else [said]
        latest = max((one for one in moments if one is not None), default=None)
        if latest is not None and latest > now + MOST_AHEAD:
            where = f"{field}.{said.index(latest)}" if moments is said else field
            raise ContractError(
                f"{type(event).__name__}.{where}: {latest.isoformat()} is more than a day ahead of "
                f"now ({now.isoformat(timespec='seconds')}): check the clock of what observed it"
            )
