"""Which moments a record may name: those that a clock can have shown and ClickHouse can hold."""

from datetime import UTC, date, datetime, timedelta

from breakout.contract import ContractError, DownloadsSlice, ModelRecord

MOST_AHEAD = timedelta(days=1)
"""How far ahead of this machine's clock an observation may be: all after it would be late."""

EARLIEST = date(1970, 1, 1)
LATEST = date(2149, 6, 6)
"""The last day that ClickHouse's Date holds."""


def check_moments(event: DownloadsSlice | ModelRecord) -> None:
    """Raise `ContractError` for a moment that cannot be, with the field and the bounds."""
    kind, now = type(event).__name__, datetime.now(UTC)
    if event.observed_at > now + MOST_AHEAD:
        raise ContractError(
            f"{kind}.observed_at: {event.observed_at.isoformat()} is more than a day ahead of "
            f"now ({now.isoformat(timespec='seconds')}): check the clock of what observed it"
        )
    days = {"observed_at": event.observed_at.date()}
    if isinstance(event, ModelRecord):
        created_at = event.created_at
        days |= {"created_at": created_at.date()} if created_at is not None else {}
        days |= {"released_at": event.released_at} if event.released_at is not None else {}
    for name, day in days.items():
        if not EARLIEST <= day <= LATEST:
            raise ContractError(f"{kind}.{name}: {day} is not from {EARLIEST} to {LATEST}")
