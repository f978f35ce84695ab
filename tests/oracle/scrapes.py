"""Scrapes, and whether each got all it wanted."""

from collections.abc import Iterable
from datetime import datetime

from .inputs import Observation, Row

ScrapeKey = tuple[str, datetime]


def scrapes_of(observations: Iterable[Observation]) -> dict[ScrapeKey, Row]:
    """Return the rows of `scrapes`.

    `models` counts the observations of all slices: one delivered twice counts once, two of one
    model that differ count twice. The scrape is `complete` if all its slices are.
    """
    members: dict[ScrapeKey, list[Observation]] = {}
    for one in sorted(set(observations), key=lambda one: (one.source, one.observed_at)):
        members.setdefault((one.source, one.observed_at), []).append(one)
    return {
        (source, observed_at): {
            "source": source,
            "observed_at": observed_at,
            "models": len(own),
            "complete": all(one.complete for one in own),
        }
        for (source, observed_at), own in members.items()
    }
