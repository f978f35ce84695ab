"""Young repositories: in its first 30 days, a repository's 30-day counter counts all downloads."""

from datetime import datetime, timedelta

from breakout.registry.hub import OLDER

ORIGIN_SUFFIX = "-30d"
"""Ends the origin of an observation whose all-time counter is its 30-day counter."""

_WINDOW = timedelta(days=30)
_AHEAD = timedelta(days=1)
"""A snapshot as of 00:00 of a day has repositories that were created on that day."""


def is_young(created_at: datetime | None, observed_at: datetime) -> bool:
    """Return whether a repository was younger than 30 days at an observation.

    It is not if its creation time is unknown, means "older", or is over a day after the
    observation: a repository cannot be observed before it exists.
    """
    if created_at is None or created_at.replace(microsecond=0) == OLDER:
        return False
    return -_AHEAD <= observed_at - created_at < _WINDOW
