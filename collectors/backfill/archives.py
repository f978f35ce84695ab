"""Public archives of the Hub's counters: which snapshots they have."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from breakout.contract.events import UtcDatetime
from collectors.http import Source
from collectors.job import EmptyAnswerError
from collectors.rows import explain


@dataclass(frozen=True)
class Snapshot:
    """One snapshot of the whole Hub."""

    observed_at: datetime
    path: str
    """Below the Hub's address."""


class Commit(BaseModel):
    """A revision of a dataset."""

    id: str
    date: UtcDatetime


class Entry(BaseModel):
    """A file or folder of a dataset."""

    type: str
    path: str


_COMMITS: TypeAdapter[list[Commit]] = TypeAdapter(list[Commit])
_ENTRIES: TypeAdapter[list[Entry]] = TypeAdapter(list[Entry])
_HUB_STATS = "cfahlgren1/hub-stats"
_WEEKLY = "hfmlsoc/hub_weekly_snapshots"


async def hub_stats(hub: Source) -> list[Snapshot]:
    """List the daily snapshots of hub-stats: the last revision of each UTC day."""
    last: dict[date, Commit] = {}
    number = 0
    while True:
        answer = await hub.json(f"/api/datasets/{_HUB_STATS}/commits/main", (("p", str(number)),))
        commits = _parsed(hub, _COMMITS, answer.content, _HUB_STATS)
        if not commits:
            break
        for commit in commits:
            day = commit.date.date()
            if day not in last or commit.date > last[day].date:
                last[day] = commit
        number += 1
    return [
        Snapshot(commit.date, f"/datasets/{_HUB_STATS}/resolve/{commit.id}/models.parquet")
        for _, commit in sorted(last.items())
    ]


async def hub_weekly_snapshots(hub: Source) -> list[Snapshot]:
    """List the weekly snapshots, each as of 00:00 UTC of its date."""
    page: str | None = f"/api/datasets/{_WEEKLY}/tree/main/models"
    found = []
    while page is not None:
        answer = await hub.json(page)
        for entry in _parsed(hub, _ENTRIES, answer.content, _WEEKLY):
            day = _day(entry.path.rpartition("/")[2])
            if entry.type == "directory" and day is not None:
                path = f"/datasets/{_WEEKLY}/resolve/main/{entry.path}/models.parquet"
                found.append(Snapshot(datetime(day.year, day.month, day.day, tzinfo=UTC), path))
        page = answer.next_page
    return sorted(found, key=lambda one: one.observed_at)


ARCHIVES: Mapping[str, Callable[[Source], Awaitable[list[Snapshot]]]] = {
    "hub-stats": hub_stats,
    "hub-weekly-snapshots": hub_weekly_snapshots,
}
"""Every archive by its name, which is the origin of its observations."""


def _parsed(hub: Source, kind: TypeAdapter[Any], content: Any, name: str) -> Any:
    try:
        return kind.validate_python(content)
    except ValidationError as error:
        raise EmptyAnswerError(
            f"{hub.name}: the listing of {name} cannot be read ({explain(error)}): "
            f"check {hub.setting}"
        ) from None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
