"""Scrapes, and which scrapes and observations are stalled."""

from datetime import datetime, timedelta

from .clean import DownloadsKey
from .inputs import Row

ScrapeKey = tuple[str, datetime]
MEMORY = timedelta(hours=23, minutes=30)


def scrapes_of(downloads: dict[DownloadsKey, Row]) -> dict[ScrapeKey, Row]:
    """Return the rows of `scrapes`."""
    members: dict[ScrapeKey, list[Row]] = {}
    for row in downloads.values():
        members.setdefault((row["source"], row["observed_at"]), []).append(row)
    scrapes: dict[ScrapeKey, Row] = {}
    moved: dict[str, list[datetime]] = {}
    for (source, observed_at), rows in sorted(members.items()):
        compared = sum(1 for row in rows if row["standing"] is not None)
        standing = sum(1 for row in rows if row["standing"] is True)
        if compared == 0 or (compared - standing) * 4 > compared:
            moved.setdefault(source, []).append(observed_at)
        recent = [at for at in moved.get(source, ())[-1:] if at > observed_at - MEMORY]
        scrapes[source, observed_at] = {
            "source": source,
            "observed_at": observed_at,
            "models": len(rows),
            "compared": compared,
            "standing": standing,
            "stalled": compared > 0 and not recent,
        }
    return scrapes


def mark_stalled(downloads: dict[DownloadsKey, Row], scrapes: dict[ScrapeKey, Row]) -> None:
    """Add `stalled` to the rows of `downloads`."""
    for row in downloads.values():
        scrape = scrapes[row["source"], row["observed_at"]]
        row["stalled"] = bool(scrape["stalled"] and row["standing"])
