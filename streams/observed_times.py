"""Rejects records observed in the future: they would make all later observations late."""

from datetime import UTC, datetime, timedelta

from breakout.contract import ContractError, DailySlice, Event, InferenceDay

MAX_AHEAD = timedelta(days=1)
"""How far ahead of this machine's clock an observation may be."""

_FIELDS: dict[type[Event], tuple[str, ...]] = {
    InferenceDay: ("observed_at", "as_of"),
    DailySlice: ("registry_changed_at", "knot_at"),
}
"""Fields with observation times, of events where it is not `observed_at` alone."""


def check_observed_times(event: Event) -> None:
    """Raise `ContractError` for an observation time in the future."""
    now = datetime.now(UTC)
    for field in _FIELDS.get(type(event), ("observed_at",)):
        value = getattr(event, field)
        times = value if isinstance(value, list) else [value]
        latest = max((time for time in times if time is not None), default=None)
        if latest is not None and latest > now + MAX_AHEAD:
            path = f"{field}.{value.index(latest)}" if times is value else field
            raise ContractError(
                f"{type(event).__name__}.{path}: {latest.isoformat()} is more than a day ahead of "
                f"now ({now.isoformat(timespec='seconds')}): check the clock of the observer"
            )
