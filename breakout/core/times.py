"""Times as integers: milliseconds since 1970-01-01, UTC."""

from datetime import UTC, date, datetime, timedelta

DAY_MS = 86_400_000
"""Milliseconds of a day."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(moment: datetime) -> int:
    """Return a timezone-aware datetime as milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """Return milliseconds since 1970 as a datetime in UTC."""
    return _EPOCH + milliseconds * _MILLISECOND


def day_ms(day: date) -> int:
    """Return 00:00 UTC of a day as milliseconds since 1970."""
    return (day - _EPOCH.date()).days * DAY_MS
