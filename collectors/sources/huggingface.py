"""The Hugging Face Hub's download counters: one scrape of all tracked and discovered models."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import structlog
from pydantic import ValidationError

from breakout.contract.events import DownloadsSlice, ModelRecord
from breakout.registry.hub import HubFacts
from breakout.registry.overrides import Overrides, load_overrides
from breakout.registry.resolve import resolve
from breakout.registry.table import RegistryFileError
from breakout.registry.tracked_list import TrackedList
from collectors.http.client import Source, SourceError
from collectors.hub.counters import Counters
from collectors.hub.survey import SOURCE, Row, Survey, hub_source, passes_policy, survey
from collectors.publishing.publisher import Publisher
from collectors.publishing.rejected_rows import explain
from collectors.publishing.rejection_limit import Unreadable
from collectors.publishing.slices import Scrape, cut
from collectors.scheduling.cadence import Cadence
from collectors.scheduling.job import EmptyAnswerError, Job, Outcome, Progress
from collectors.sources.tracked_models import read_list

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class HubScrape:
    """A scrape of the Hub, with what else it found."""

    scrape: Scrape
    discovered: tuple[ModelRecord, ...]
    """Models of listed organisations that the policy lets pass and that are not tracked."""
    unreadable: Unreadable
    repositories: Mapping[str, str]
    """The Hub's `_id`s of the tracked models."""


async def scrape_hub(
    hub: Source,
    tracked_list: TrackedList,
    overrides: Overrides,
    *,
    observed_at: datetime,
    repositories: Mapping[str, str] = MappingProxyType({}),
    on_progress: Progress = lambda _done, _total: None,
) -> HubScrape:
    """Read the counters of all tracked models and of those the policy lets pass.

    A row that cannot be read becomes a dead letter and its model a missing one; the other rows
    go on. A renamed model keeps its tracked id, so that its series goes on; `repositories` are
    those of an earlier scrape, by which a renamed one is told from another. Raises
    `EmptyAnswerError` when not one model's counters could be read.
    """
    found = await survey(
        hub,
        tracked_list.organisations,
        tracked_list.models,
        seed=observed_at.isoformat(),
        repositories=repositories,
        on_progress=on_progress,
    )
    reader = _Reader(found, tracked_list, overrides, observed_at)
    for model_id, row in sorted(found.rows.items()):
        reader.read(model_id, row)
    if not reader.counters:
        raise EmptyAnswerError(
            f"no readable counter: {next(iter(reader.missing.values()), 'no model')}"
        )
    return HubScrape(
        Scrape(
            SOURCE, observed_at, reader.counters, reader.missing, tuple(found.troubles.values())
        ),
        tuple(reader.discovered),
        found.unreadable,
        found.repositories,
    )


class _Reader:
    def __init__(
        self,
        found: Survey,
        tracked_list: TrackedList,
        overrides: Overrides,
        observed_at: datetime,
    ) -> None:
        self._tracked_list = tracked_list
        self._overrides = overrides
        self._observed_at = observed_at
        self.counters: dict[str, Counters] = {}
        self.missing = dict(found.missing)
        self.discovered: list[ModelRecord] = []
        self._unreadable = found.unreadable

    def read(self, model_id: str, row: Row) -> None:
        tracked = model_id in self._tracked_list.models
        if not tracked and not passes_policy(model_id, row):
            return
        try:
            counters = Counters.model_validate(row)
            if not tracked:
                self.discovered.append(self._record(model_id, row))
        except ValidationError as error:
            why = explain(error)
            self._unreadable.add(row, f"{model_id}: {why}")
            self.missing[model_id] = f"unreadable row: {why}"
            return
        self.counters[model_id] = counters

    def _record(self, model_id: str, row: Row) -> ModelRecord:
        return resolve(
            model_id,
            HubFacts.model_validate(row),
            self._tracked_list,
            self._overrides,
            observed_at=self._observed_at,
        )


class HuggingFaceJob(Job):
    """Download counters of the Hugging Face Hub.

    The tracked-models list is read at the first run and again every registry interval; a list
    that cannot be read again leaves the earlier one in use.
    """

    name = "huggingface"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._tracked_list: TrackedList | None = None
        self._list_read_at = 0.0
        self._known: set[str] = set()
        self._repositories: dict[str, str] = {}

    @property
    def cadence(self) -> Cadence:
        """Every scrape interval."""
        return Cadence(self.settings.scrape_seconds)

    async def collect(self, observed_at: datetime) -> Outcome:
        """Scrape the counters and publish them, newly discovered models first."""
        tracked_list = await self._list()
        overrides = load_overrides(self.settings.overrides_file)
        async with hub_source(self.settings, patience=self.patience) as hub:
            found = await scrape_hub(
                hub,
                tracked_list,
                overrides,
                observed_at=observed_at,
                repositories=self._repositories,
                on_progress=self.on_progress,
            )
        self._repositories.update(found.repositories)
        new = [record for record in found.discovered if record.model_id not in self._known]
        slices: list[tuple[int, DownloadsSlice]] = []

        async def write(publisher: Publisher) -> None:
            slices[:] = cut(found.scrape, publisher.downloads_partitions)
            await publisher.publish_models(new)
            await publisher.publish_downloads(slices)
            await publisher.publish_dead_letters(found.unreadable.letters)

        await self.publish(write)
        self._known.update(record.model_id for record in new)
        return _outcome(found, len(slices))

    async def _list(self) -> TrackedList:
        age = time.monotonic() - self._list_read_at
        if self._tracked_list is not None and age < self.settings.registry_seconds:
            return self._tracked_list
        try:
            tracked_list = await read_list(self.settings, self.patience)
        except (SourceError, RegistryFileError) as error:
            if self._tracked_list is None:
                raise
            log.warning("going on with the earlier tracked-models list", reason=str(error))
            return self._tracked_list
        self._tracked_list = tracked_list
        self._list_read_at = time.monotonic()
        return tracked_list


def _outcome(found: HubScrape, slices: int) -> Outcome:
    scrape, untracked = found.scrape, len(found.discovered)
    return Outcome(
        scrape.source,
        scrape.observed_at,
        {"tracked models": len(scrape.counters) - untracked, "other models": untracked},
        slices,
        scrape.missing,
        scrape.troubles,
        len(found.unreadable.letters),
        found.unreadable.not_kept,
    )
