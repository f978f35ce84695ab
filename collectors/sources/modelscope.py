"""ModelScope's download counters of the tracked models, under their tracked ids."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict

from breakout.contract.model_ids import ModelId
from breakout.registry import fields
from breakout.registry.table import RegistryFileError, read_table
from collectors.http.client import Source
from collectors.http.errors import CircuitBreaker, EmptyResponseError, SourceError
from collectors.hub.counters import Counters
from collectors.publishing.rejected_rows import RejectedRows, RowReader
from collectors.publishing.rejection_limit import RejectionStreak, check_page_size
from collectors.publishing.slices import Scrape
from collectors.scheduling.cadence import DAY, HOUR, Cadence
from collectors.scheduling.job import Job, Progress
from collectors.scheduling.outcome import Collected
from collectors.sources.fields import Count
from collectors.sources.tracked_models import fetch_tracked_list

SOURCE = "modelscope"

_PATH = "/openapi/v1/models"
_PAGE_ROWS = 50
_MOST_LISTED = 3000
"""Most models of one owner that ModelScope lists."""
_OWNERS_HEADER = ("org", "owner")


class Row(BaseModel):
    """A model of ModelScope's listing."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: ModelId
    downloads: Count
    likes: Count | None = None


@dataclass
class ModelScopeListing:
    """The tracked models that ModelScope lists."""

    counters: dict[str, Counters] = field(default_factory=dict)
    """By tracked id."""
    missing: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    """Owners whose listing is incomplete, and why."""
    rejected: RejectedRows = field(default_factory=lambda: RejectedRows(SOURCE, SOURCE))


class ModelScopeJob(Job):
    """Counters of the tracked models that are on ModelScope too."""

    name = SOURCE
    cadence = Cadence(DAY, 4 * HOUR)
    """Daily at 04:00 UTC."""

    async def collect(self, observed_at: datetime) -> Collected:
        """Read the counters, as a source of its own beside the Hub."""
        tracked_list = await fetch_tracked_list(self.settings, self.request_policy)
        address = self.settings.modelscope_endpoint
        async with Source(
            SOURCE, address, "MODELSCOPE_ENDPOINT", request_policy=self.request_policy
        ) as source:
            found = await list_models(
                source, tracked_list.models, load_owners(), on_progress=self.on_progress
            )
        failures = tuple(found.failures.values())
        return Collected(
            {"tracked models": len(found.counters)},
            found.rejected,
            scrape=Scrape(SOURCE, observed_at, found.counters, found.missing, failures),
            missing=found.missing,
            failures=failures,
        )


def load_owners() -> dict[str, list[str]]:
    """Return ModelScope's owners by the Hub's organisation, where they differ."""
    content = files("breakout.registry").joinpath("modelscope_owners.csv").read_bytes()
    table = read_table(
        "modelscope_owners.csv",
        content,
        _OWNERS_HEADER,
        lambda row: (
            fields.organisation("org", row["org"]),
            fields.organisation("owner", row["owner"]),
        ),
        key=("org", "owner"),
    )
    if table.errors:
        raise RegistryFileError("; ".join(str(error) for error in table.errors))
    owners: dict[str, list[str]] = {}
    for org, owner in table.rows:
        owners.setdefault(org, []).append(owner)
    return owners


async def list_models(
    source: Source,
    tracked: Iterable[str],
    owners: Mapping[str, Sequence[str]],
    *,
    on_progress: Progress = lambda _done, _total: None,
) -> ModelScopeListing:
    """List the owners' models and return the tracked ones, by their tracked ids.

    Names match exactly, or ignoring case where that is unambiguous. If several owners have a
    model, the highest counter counts; when one of them cannot be listed the model is missing,
    since a lower counter would look like a decrease. Tracked models that ModelScope does not have
    are not missing. Raises `EmptyResponseError` without any counter.
    """
    lister = _Lister(source, tracked, owners, on_progress)
    await source.for_each(sorted(lister.wanted), lister.list_owner)
    found = lister.combine()
    if not found.counters:
        reasons = [*found.failures.values(), *found.missing.values()]
        reason = next(iter(reasons), "it lists no tracked model")
        raise EmptyResponseError(f"{SOURCE}: no counter could be read: {reason}")
    return found


class _Lister:
    def __init__(
        self,
        source: Source,
        tracked: Iterable[str],
        owners: Mapping[str, Sequence[str]],
        on_progress: Progress,
    ) -> None:
        self._source = source
        self._on_progress = on_progress
        self._done = 0
        self._breaker = CircuitBreaker()
        self.found = ModelScopeListing()
        self._failed: dict[str, str] = {}
        """Owners that could not be listed, and why."""
        self._counters: dict[str, dict[str, Counters]] = {}
        """By owner and tracked id."""
        self.wanted: dict[str, dict[str, str | None]] = {}
        """Tracked ids by owner and name; null for an ambiguous name."""
        for model_id in sorted(tracked):
            org, _, name = model_id.partition("/")
            for owner in owners.get(org, (org,)):
                names = self.wanted.setdefault(owner, {})
                names[name] = None if name in names else model_id

    def combine(self) -> ModelScopeListing:
        """Merge the listings of all owners."""
        merged = self.found.counters
        for _, counters in sorted(self._counters.items()):
            for model_id, candidate in counters.items():
                known = merged.get(model_id)
                if known is None or _total(candidate) > _total(known):
                    merged[model_id] = candidate
        for owner, reason in self._failed.items():
            for model_id in filter(None, self.wanted[owner].values()):
                elsewhere = any(
                    model_id in counters
                    for other, counters in self._counters.items()
                    if other != owner
                )
                if elsewhere:
                    merged.pop(model_id, None)
                    self.found.missing[model_id] = (
                        f"another owner may have a higher counter: {reason}"
                    )
        return self.found

    async def list_owner(self, owner: str) -> None:
        try:
            with self._breaker.guard():
                await self._read_pages(owner)
        except (SourceError, EmptyResponseError) as error:
            self._failed[owner] = self.found.failures[owner] = str(error)
        self._done += 1
        self._on_progress(self._done, len(self.wanted))

    async def _read_pages(self, owner: str) -> None:
        listing = f"{SOURCE}: the listing of {owner}"

        def note_missing(row: Any, reason: str) -> None:
            model_id = self._tracked(owner, _name(row))
            if model_id is not None:
                self.found.missing[model_id] = f"invalid row: {reason}"

        reader = RowReader(
            Row,
            RejectionStreak(listing, self._source.setting),
            self.found.rejected,
            label=lambda _row: f"{owner}: ",
            on_rejection=note_missing,
        )
        done, number = 0, 1
        while True:
            rows, total = await self._page(owner, number)
            check_page_size(listing, rows, _PAGE_ROWS, self._source.setting)
            for raw in rows:
                row = reader.read(raw)
                if row is not None:
                    self._add(owner, row)
            done += len(rows)
            if done >= total or not rows:
                break
            if (number + 1) * _PAGE_ROWS > _MOST_LISTED:
                self.found.failures[owner] = (
                    f"{SOURCE}: {owner} has {total} models, of which the first {done} are listed"
                )
                return
            number += 1
        if done < total:
            raise EmptyResponseError(f"{listing} ends after {done} of {total}")

    async def _page(self, owner: str, number: int) -> tuple[list[Any], int]:
        page = await self._source.json(
            _PATH, (("owner", owner), ("page_number", str(number)), ("page_size", str(_PAGE_ROWS)))
        )
        content = page.content if isinstance(page.content, dict) else {}
        data = content.get("data")
        rows = data.get("models") if isinstance(data, dict) else None
        total = data.get("total_count") if isinstance(data, dict) else None
        if not content.get("success") or not isinstance(rows, list) or not isinstance(total, int):
            raise EmptyResponseError(
                f"{SOURCE}: the listing of {owner} is not a list of models: "
                f"check {self._source.setting}"
            )
        return rows, total

    def _add(self, owner: str, row: Row) -> None:
        name = row.id.partition("/")[2]
        model_id = self._tracked(owner, name)
        if model_id is None:
            return
        # Of two that differ only by case, the one spelled as on the Hub counts.
        counters = self._counters.setdefault(owner, {})
        if name in self.wanted[owner] or model_id not in counters:
            counters[model_id] = Counters(
                id=model_id, downloadsAllTime=row.downloads, likes=row.likes
            )

    def _tracked(self, owner: str, name: str) -> str | None:
        wanted = self.wanted[owner]
        if name in wanted:
            return wanted[name]
        matches = [wanted[other] for other in wanted if other.lower() == name.lower()]
        return matches[0] if len(matches) == 1 else None


def _name(row: Any) -> str:
    return str(row.get("id") if isinstance(row, dict) else "").partition("/")[2]


def _total(counters: Counters) -> int:
    return counters.downloads_all_time or 0
