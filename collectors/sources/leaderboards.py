"""What all leaderboards share: ratings by name, published as slices."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from breakout.contract.events import LeaderboardSlice


class Rating(NamedTuple):
    """One row of a leaderboard."""

    name: str
    rating: float
    lower: float | None = None
    upper: float | None = None
    votes: int | None = None


def leaderboard_slice(
    source: str,
    board: str,
    version: str,
    published_on: date,
    ratings: Iterable[Rating],
    *,
    observed_at: datetime,
) -> LeaderboardSlice:
    """Return a leaderboard, best first; equal ratings are sorted by name."""
    rows = sorted(ratings, key=lambda row: (-row.rating, row.name))
    return LeaderboardSlice(
        source=source,
        board=board,
        version=version,
        published_on=published_on,
        observed_at=observed_at,
        names=[row.name for row in rows],
        rating=[row.rating for row in rows],
        lower=[row.lower for row in rows],
        upper=[row.upper for row in rows],
        votes=[row.votes for row in rows],
    )
