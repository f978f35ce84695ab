"""ModelScope's download counters of the tracked models, under their tracked ids."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from typing import Any

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from breakout.contract.events import DownloadsSlice
from breakout.contract.model_ids import ModelId
from breakout.registry import fields
from breakout.registry.table import RegistryFileError, read_table
from collectors.http.client import Source, SourceError
from collectors.hub.counters import Counters
from collectors.hub.survey import is_hopeless
from collectors.publishing.publisher import Publisher
from collectors.publishing.rejected_rows import explain
from collectors.publishing.rejection_limit import Streak, Unreadable, check_page
from collectors.publishing.slices import Scrape, cut
from collectors.scheduling.cadence import DAY, HOUR, Cadence
from collectors.scheduling.job import EmptyAnswerError, Job, Outcome, Progress
from collectors.sources.fields import Count
from collectors.sources.tracked_models import read_list

log = structlog.get_logger(__name__)

SOURCE = "modelscope"

_PATH = "/openapi/v1/models"
_PAGE = 50
_DEEPEST = 3000
"""Models of one owner that ModelScope lists at most."""
_OWNERS_HEADER = ("org", "owner")


class Row(BaseModel):
    """A model of ModelScope's listing."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: ModelId
    downloads: Count
    likes: Count | None = None


@dataclass
class Survey:
    """What ModelScope lists of the tracked models."""

    counters: dict[str, Counters] = field(default_factory=dict)
    """By tracked id."""
    missing: dict[str, str] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)
    """Owners whose listing could not be read to its end, and why."""
    unreadable: Unreadable = field(default_factory=lambda: Unreadable(SOURCE, SOURCE))


class ModelScopeJob(Job):
    """Counters of the tracked models that are on ModelScope too."""

    name = SOURCE

    @property
    def cadence(self) -> Cadence:
        """Daily at 04:00 UTC."""
        return Cadence(DAY, 4 * HOUR)

    async def collect(self, observed_at: datetime) -> Outcome:
        """Read the counters and publish them beside the Hub's, as another source."""
        tracked_list = await read_list(self.settings, self.patience)
        address = self.settings.modelscope_endpoint
        async with Source(SOURCE, address, "MODELSCOPE_ENDPOINT", patience=self.patience) as source:
            found = await survey_modelscope(
                source, tracked_list.models, load_owners(), on_progress=self.on_progress
            )
        troubles = tuple(found.troubles.values())
        scrape = Scrape(SOURCE, observed_at, found.counters, found.missing, troubles)
        slices: list[tuple[int, DownloadsSlice]] = []

        async def write(publisher: Publisher) -> None:
            slices[:] = cut(scrape, publisher.downloads_partitions)
            await publisher.publish_downloads(slices)
            await publisher.publish_dead_letters(found.unreadable.letters)

        await self.publish(write)
        return Outcome(
            SOURCE,
            observed_at,
            {"tracked models": len(found.counters)},
            len(slices),
            found.missing,
            troubles,
            len(found.unreadable.letters),
            found.unreadable.not_kept,
        )


def load_owners() -> dict[str, list[str]]:
    """Return ModelScope's owners by the Hub's organisation, where it is not itself the only one."""
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


async def survey_modelscope(
    source: Source,
    tracked: Iterable[str],
    owners: Mapping[str, Sequence[str]],
    *,
    on_progress: Progress = lambda _done, _total: None,
) -> Survey:
    """List the owners' models and keep those that are tracked, by their tracked ids.

    A model's name is compared as spelled, then without regard to case where that leaves one. Of a
    model that several owners have the greater counter counts; while one of these cannot be
    listed the model is missing, since a smaller counter would look like a step back. A tracked
    model that ModelScope does not have is not observed. Raises `EmptyAnswerError` when nothing
    could be read.
    """
    surveyor = _Surveyor(source, tracked, owners, on_progress)
    await source.each(sorted(surveyor.wanted), surveyor.ask)
    found = surveyor.combine()
    if not found.counters:
        reasons = [*found.troubles.values(), *found.missing.values()]
        why = next(iter(reasons), "it lists no tracked model")
        raise EmptyAnswerError(f"{SOURCE}: no counter could be read: {why}")
    return found


class _Surveyor:
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
        self._hopeless: SourceError | None = None
        self.survey = Survey()
        self._failed: dict[str, str] = {}
        """Owners that could not be listed, and why."""
        self._found: dict[str, dict[str, Counters]] = {}
        """Counters by owner and tracked id."""
        self.wanted: dict[str, dict[str, str | None]] = {}
        """Tracked ids by owner and name; null for a name that may mean two."""
        for model_id in sorted(tracked):
            org, _, name = model_id.partition("/")
            for owner in owners.get(org, (org,)):
                named = self.wanted.setdefault(owner, {})
                named[name] = None if name in named else model_id

    def combine(self) -> Survey:
        """Return what all owners say together."""
        counters = self.survey.counters
        for _, found in sorted(self._found.items()):
            for model_id, one in found.items():
                held = counters.get(model_id)
                if held is None or _total(one) > _total(held):
                    counters[model_id] = one
        for owner, why in self._failed.items():
            for model_id in filter(None, self.wanted[owner].values()):
                elsewhere = any(
                    model_id in found for other, found in self._found.items() if other != owner
                )
                if elsewhere:
                    counters.pop(model_id, None)
                    self.survey.missing[model_id] = f"another owner may count more of it: {why}"
        return self.survey

    async def ask(self, owner: str) -> None:
        try:
            if self._hopeless is not None:
                raise self._hopeless
            await self._read(owner)
        except (SourceError, EmptyAnswerError) as error:
            if isinstance(error, SourceError) and is_hopeless(error):
                self._hopeless = error
            self._failed[owner] = self.survey.troubles[owner] = str(error)
        self._done += 1
        self._on_progress(self._done, len(self.wanted))

    async def _read(self, owner: str) -> None:
        read, number = 0, 1
        what = f"{SOURCE}: the listing of {owner}"
        streak = Streak(what, self._source.setting)
        while True:
            rows, total = await self._page(owner, number)
            check_page(what, rows, _PAGE, self._source.setting)
            for row in rows:
                self._note(owner, row, streak)
            read += len(rows)
            if read >= total or not rows:
                break
            if (number + 1) * _PAGE > _DEEPEST:
                self.survey.troubles[owner] = (
                    f"{SOURCE}: {owner} has {total} models, of which the first {read} are listed"
                )
                return
            number += 1
        if read < total:
            raise EmptyAnswerError(f"{SOURCE}: the listing of {owner} ends after {read} of {total}")

    async def _page(self, owner: str, number: int) -> tuple[list[Any], int]:
        answer = await self._source.json(
            _PATH, (("owner", owner), ("page_number", str(number)), ("page_size", str(_PAGE)))
        )
        content = answer.content if isinstance(answer.content, dict) else {}
        data = content.get("data")
        rows = data.get("models") if isinstance(data, dict) else None
        total = data.get("total_count") if isinstance(data, dict) else None
        if not content.get("success") or not isinstance(rows, list) or not isinstance(total, int):
            raise EmptyAnswerError(
                f"{SOURCE}: the listing of {owner} is no list of models: "
                f"check {self._source.setting}"
            )
        return rows, total

    def _note(self, owner: str, row: Any, streak: Streak) -> None:
        name = str(row.get("id") if isinstance(row, dict) else "").partition("/")[2]
        model_id = self._tracked(owner, name)
        try:
            read = Row.model_validate(row)
        except ValidationError as error:
            why = explain(error)
            self.survey.unreadable.add(row, f"{owner}: {why}")
            if model_id is not None:
                self.survey.missing[model_id] = f"unreadable row: {why}"
            streak.bad(why)
            return
        streak.good()
        if model_id is None:
            return
        # Of two that differ by case only, the one spelled as on the Hub is meant.
        found = self._found.setdefault(owner, {})
        if name in self.wanted[owner] or model_id not in found:
            found[model_id] = Counters(
                id=model_id, downloadsAllTime=read.downloads, likes=read.likes
            )

    def _tracked(self, owner: str, name: str) -> str | None:
        own = self.wanted[owner]
        if name in own:
            return own[name]
        alike = [own[other] for other in own if other.lower() == name.lower()]
        return alike[0] if len(alike) == 1 else None


def _total(counters: Counters) -> int:
    return counters.downloads_all_time or 0
