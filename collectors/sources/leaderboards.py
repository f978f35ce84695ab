"""What all leaderboards share: rated names as slices, and what the names mean."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import NamedTuple

from breakout.contract.events import LeaderboardSlice, NameRecord
from breakout.registry.names import NameMap


class Rated(NamedTuple):
    """One line of a leaderboard."""

    name: str
    rating: float
    lower: float | None = None
    upper: float | None = None
    votes: int | None = None


def board_slice(
    source: str,
    board: str,
    version: str,
    published_on: date,
    rated: Iterable[Rated],
    *,
    observed_at: datetime,
) -> LeaderboardSlice:
    """Return a leaderboard, best first; of equals the first by name."""
    rows = sorted(rated, key=lambda row: (-row.rating, row.name))
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


def name_record(
    source: str,
    name: str,
    names: NameMap,
    *,
    observed_at: datetime,
    title: str | None,
    vendor: str | None,
    licensed_open: bool | None = None,
) -> NameRecord:
    """Return what a name means: as reviewed, else open or closed as the source's licence says."""
    meaning = names.meaning(source, name)
    return NameRecord(
        source=source,
        name=name,
        observed_at=observed_at,
        title=title,
        vendor=vendor,
        open=meaning.open if meaning else licensed_open,
        model_id=meaning.model_id if meaning else None,
        org=names.org(source, name, vendor),
    )


def unlisted_names(
    source: str, listed: Iterable[str], names: NameMap, *, observed_at: datetime
) -> Iterator[NameRecord]:
    """Yield records of the map's other names, so that a correction reaches past leaderboards."""
    for name in sorted(names.of(source) - set(listed)):
        yield name_record(source, name, names, observed_at=observed_at, title=None, vendor=None)


def board_key(one: LeaderboardSlice) -> str:
    """Return the key of its record."""
    return f"{one.source}:{one.board}:{one.version}"
