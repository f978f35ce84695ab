"""Public archives of the Hub's counters: lists their snapshots."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from breakout.contract.events import UtcDatetime
from collectors.http.client import Source
from collectors.http.errors import EmptyResponseError, SourceError
from collectors.publishing.rejected_rows import explain


@dataclass(frozen=True)
class Snapshot:
    """One snapshot of the entire Hub."""

    observed_at: datetime
    path: str
    """Below the Hub's base URL."""


class Commit(BaseModel):
    """A revision of a dataset."""

    id: Annotated[str, Field(pattern=r"^[0-9A-Za-z._-]{1,64}$")]
    title: str = ""
    date: UtcDatetime

    @property
    def rank(self) -> tuple[bool, datetime]:
        """Sort key: of a day's revisions the last one is read, if any of the models' file."""
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

    Every file of the dataset has its own commits, whose titles name it. Of a day without such a
    title it is the last revision of any file: `FileVersions` tells whether the models' changed.
    """
    last: dict[date, Commit] = {}
    known: set[str] = set()
    number = 0
    while True:
        page = await hub.json(f"/api/datasets/{_HUB_STATS}/commits/main", (("p", str(number)),))
        commits = _parsed(hub, _COMMITS, page.content, _HUB_STATS)
        # A mirror without pagination returns the first page again.
        if known.issuperset(commit.id for commit in commits):
            break
        _check_end(hub, number, _HUB_STATS)
        for commit in commits:
            day = commit.date.date()
            if day not in last or commit.rank > last[day].rank:
                last[day] = commit
        known.update(commit.id for commit in commits)
        number += 1
    return [
        Snapshot(commit.date, f"/datasets/{_HUB_STATS}/resolve/{commit.id}/models.parquet")
        for _, commit in sorted(last.items())
    ]


async def hub_weekly_snapshots(hub: Source) -> list[Snapshot]:
    """List the weekly snapshots, each as of 00:00 UTC of its date."""
    next_page: str | None = f"/api/datasets/{_WEEKLY}/tree/main/models"
    found = []
    number = 0
    while next_page is not None:
        _check_end(hub, number, _WEEKLY)
        number += 1
        page = await hub.json(next_page)
        for entry in _parsed(hub, _ENTRIES, page.content, _WEEKLY):
            day = _day(entry.path.rpartition("/")[2])
            if entry.type == "directory" and day is not None:
                path = f"/datasets/{_WEEKLY}/resolve/main/{quote(entry.path)}/models.parquet"
                found.append(Snapshot(datetime(day.year, day.month, day.day, tzinfo=UTC), path))
        next_page = page.next_page
    return sorted(found, key=lambda snapshot: snapshot.observed_at)


class FileVersions:
    """Compares the files of snapshots by their ETags, requesting one byte of each."""

    def __init__(self, hub: Source) -> None:
        self._hub = hub
        self._etags: dict[str, str | None] = {}

    async def is_unchanged(self, before: Snapshot, snapshot: Snapshot) -> bool:
        """Whether a snapshot has the same file as the one before, so that nothing was observed.

        A file that cannot be read counts as changed: reading it raises the error.
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
"""All archives by name, which is the `origin` of their observations."""


def _check_end(hub: Source, pages: int, name: str) -> None:
    if pages > _MOST_PAGES:
        raise EmptyResponseError(
            f"{hub.name}: the listing of {name} does not end after {_MOST_PAGES} pages"
        )


def _parsed(hub: Source, kind: TypeAdapter[Any], content: Any, name: str) -> Any:
    try:
        return kind.validate_python(content)
    except ValidationError as error:
        raise EmptyResponseError(
            f"{hub.name}: the listing of {name} is invalid ({explain(error)}): check {hub.setting}"
        ) from None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
