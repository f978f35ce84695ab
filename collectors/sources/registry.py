"""The registry: the tracked-models list joined with the Hub's metadata, one record a model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

import structlog
from pydantic import ValidationError

from breakout.contract.events import ModelRecord
from breakout.registry.hub import HubFacts
from breakout.registry.overrides import Overrides, load_overrides
from breakout.registry.resolve import resolve
from breakout.registry.tracked_list import TrackedList
from collectors.http.client import Source
from collectors.hub.survey import SOURCE as HUB
from collectors.hub.survey import hub_source, passes_policy, survey
from collectors.publishing.publisher import Publisher
from collectors.publishing.rejected_rows import explain
from collectors.publishing.rejection_limit import Unreadable
from collectors.scheduling.cadence import HOUR, MONDAY, Cadence
from collectors.scheduling.job import Job, Outcome, Progress
from collectors.sources.tracked_models import read_list

log = structlog.get_logger(__name__)

SOURCE = "registry"


@dataclass(frozen=True)
class Registry:
    """What is known of the models."""

    records: tuple[ModelRecord, ...]
    """Tracked models and those the policy lets pass, by model id."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Tracked models the Hub said nothing of, and why: what was known of them stays."""
    unreadable: Unreadable = field(default_factory=lambda: Unreadable(HUB, SOURCE))
    repositories: Mapping[str, str] = field(default_factory=dict)
    """The Hub's `_id`s of the tracked models."""


async def read_registry(
    hub: Source,
    tracked_list: TrackedList,
    overrides: Overrides,
    *,
    observed_at: datetime,
    repositories: Mapping[str, str] = MappingProxyType({}),
    on_progress: Progress = lambda _done, _total: None,
) -> Registry:
    """Join the list with the Hub's metadata.

    A model without metadata gets no record: a record without its dates would take the place
    of an earlier one that has them. Raises `EmptyAnswerError` when the Hub gave nothing.
    """
    found = await survey(
        hub,
        tracked_list.organisations,
        tracked_list.models,
        collector=SOURCE,
        seed=observed_at.isoformat(),
        repositories=repositories,
        on_progress=on_progress,
    )
    records: list[ModelRecord] = []
    missing = dict(found.missing)
    for model_id, row in sorted(found.rows.items()):
        tracked = model_id in tracked_list.models
        if not tracked and not passes_policy(model_id, row):
            continue
        try:
            facts = HubFacts.model_validate(row)
            records.append(
                resolve(model_id, facts, tracked_list, overrides, observed_at=observed_at)
            )
        except ValidationError as error:
            why = explain(error)
            found.unreadable.add(row, f"{model_id}: {why}")
            missing[model_id] = f"unreadable row: {why}"
    return Registry(tuple(records), missing, found.unreadable, found.repositories)


class RegistryJob(Job):
    """What is known of each model: the tracked-models list joined with the Hub's metadata."""

    name = "registry"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._repositories: dict[str, str] = {}

    @property
    def cadence(self) -> Cadence:
        """Mondays at 07:00 UTC unless set otherwise: the list is renewed an hour before."""
        return Cadence(self.settings.registry_seconds, MONDAY + 7 * HOUR)

    async def collect(self, observed_at: datetime) -> Outcome:
        """Read the list and the Hub, and publish one record a model."""
        overrides = load_overrides(self.settings.overrides_file)
        tracked_list = await read_list(self.settings, self.patience)
        async with hub_source(self.settings, patience=self.patience) as hub:
            registry = await read_registry(
                hub,
                tracked_list,
                overrides,
                observed_at=observed_at,
                repositories=self._repositories,
                on_progress=self.on_progress,
            )
        self._repositories.update(registry.repositories)

        async def write(publisher: Publisher) -> None:
            await publisher.publish_models(registry.records)
            await publisher.publish_dead_letters(registry.unreadable.letters)

        await self.publish(write)
        return _outcome(registry, observed_at)


def _outcome(registry: Registry, observed_at: datetime) -> Outcome:
    untracked = sum(not record.tracked for record in registry.records)
    return Outcome(
        SOURCE,
        observed_at,
        {"tracked models": len(registry.records) - untracked, "other models": untracked},
        len(registry.records),
        registry.missing,
        dead_letters=len(registry.unreadable.letters),
        not_kept=registry.unreadable.not_kept,
    )
