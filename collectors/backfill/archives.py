"""Public archives of the Hub's counters: which snapshots they have."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from breakout.contract.events import UtcDatetime
from collectors.http.client import Source, SourceError
from collectors.publishing.rejected_rows import explain
from collectors.scheduling.job import EmptyAnswerError


@dataclass(frozen=True)
class Snapshot:
    """One snapshot of the whole Hub."""

    observed_at: datetime
    path: str
    """Below the Hub's address."""


class Commit(BaseModel):
    """A revision of a dataset."""

    id: Annotated[str, Field(pattern=r"^[0-9A-Za-z._-]{1,64}$")]
    title: str = ""
    date: UtcDatetime

    @property
    def rank(self) -> tuple[bool, datetime]:
        """The greatest of a day is the one to read."""
        return "models." in self.title, self.date


class Entry(BaseModel):
    """A file or folder of a dataset."""

    type: str
    path: str


_COMMITS: TypeAdapter[list[Commit]] = TypeAdapter(list[Commit])
_ENTRIES: TypeAdapter[list[Entry]] = TypeAdapter(list[Entry])
_HUB_STATS = "cfahlgren1/hub-stats"
_MOST_PAGES = 1000
_WEEKLY = "hfmlsoc/hub_weekly_snapshots"


async def hub_stats(hub: Source) -> list[Snapshot]:
    """List the daily snapshots of hub-stats: each UTC day's last revision of the models.

    Every file of the dataset has commits of its own, whose titles name it. Of a day without such
    a title it is the last revision of any: `Files` tells whether its file is a new one.
    """
    last: dict[date, Commit] = {}
    seen: set[str] = set()
    number = 0
    while True:
        answer = await hub.json(f"/api/datasets/{_HUB_STATS}/commits/main", (("p", str(number)),))
        commits = _parsed(hub, _COMMITS, answer.content, _HUB_STATS)
        # A mirror that knows no pages answers with the first again and again.
        if seen.issuperset(commit.id for commit in commits):
            break
        _check_end(hub, number, _HUB_STATS)
        for commit in commits:
            day = commit.date.date()
            if day not in last or commit.rank > last[day].rank:
                last[day] = commit
        seen.update(commit.id for commit in commits)
        number += 1
    return [
        Snapshot(commit.date, f"/datasets/{_HUB_STATS}/resolve/{commit.id}/models.parquet")
        for _, commit in sorted(last.items())
    ]


async def hub_weekly_snapshots(hub: Source) -> list[Snapshot]:
    """List the weekly snapshots, each as of 00:00 UTC of its date."""
    page: str | None = f"/api/datasets/{_WEEKLY}/tree/main/models"
    found = []
    number = 0
    while page is not None:
        _check_end(hub, number, _WEEKLY)
        number += 1
        answer = await hub.json(page)
        for entry in _parsed(hub, _ENTRIES, answer.content, _WEEKLY):
            day = _day(entry.path.rpartition("/")[2])
            if entry.type == "directory" and day is not None:
                path = f"/datasets/{_WEEKLY}/resolve/main/{quote(entry.path)}/models.parquet"
                found.append(Snapshot(datetime(day.year, day.month, day.day, tzinfo=UTC), path))
        page = answer.next_page
    return sorted(found, key=lambda one: one.observed_at)


class Files:
    """Tells files from each other by their ETags, asking for one byte of each."""

    def __init__(self, hub: Source) -> None:
        self._hub = hub
        self._etags: dict[str, str | None] = {}

    async def is_unchanged(self, before: Snapshot, snapshot: Snapshot) -> bool:
        """Whether a snapshot's file is that of the one before, so that nothing was observed.

        A file that cannot be read is no other's: reading it says why.
        """
        etag = await self._etag(snapshot)
        return etag is not None and etag == await self._etag(before)

    async def _etag(self, snapshot: Snapshot) -> str | None:
        if snapshot.path not in self._etags:
            try:
                self._etags[snapshot.path] = (await self._hub.range(snapshot.path, 0, 1)).etag
            except SourceError:
                self._etags[snapshot.path] = None
        return self._etags[snapshot.path]


ARCHIVES: Mapping[str, Callable[[Source], Awaitable[list[Snapshot]]]] = {
    "hub-stats": hub_stats,
    "hub-weekly-snapshots": hub_weekly_snapshots,
}
"""Every archive by its name, which is the origin of its observations."""


def _check_end(hub: Source, pages: int, name: str) -> None:
    if pages > _MOST_PAGES:
        raise EmptyAnswerError(
            f"{hub.name}: the listing of {name} does not end after {_MOST_PAGES} pages"
        )


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
