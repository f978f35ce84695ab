"""Moments as the events hold them and as columns hold them: milliseconds since 1970, UTC."""

from datetime import UTC, date, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(moment: datetime) -> int:
    """Return an aware moment as milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """Return the UTC moment so many milliseconds after 1970."""
    return _EPOCH + milliseconds * _MILLISECOND


def day_ms(day: date) -> int:
    """Return 00:00 UTC of a day as milliseconds since 1970."""
    return (day - _EPOCH.date()).days * 86_400_000
