"""The Hugging Face Hub's download counters: one scrape of all tracked and discovered models."""

import time
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

import structlog
from pydantic import ValidationError

from breakout.contract.events import ModelRecord
from breakout.registry.hub import HubFacts
from breakout.registry.known import Known, known_list
from breakout.registry.overrides import Overrides, load_overrides
from breakout.registry.resolve import resolve
from breakout.registry.table import RegistryFileError
from breakout.registry.tracked_list import TrackedList
from collectors.http.errors import EmptyResponseError, SourceError
from collectors.hub.counters import Counters
from collectors.hub.crawl import SOURCE, Crawl, passes_policy
from collectors.hub.job import HubJob
from collectors.publishing.rejected_rows import explain
from collectors.publishing.slices import Scrape
from collectors.scheduling.cadence import Cadence
from collectors.scheduling.outcome import Collected

log = structlog.get_logger(__name__)


def read_counters(
    found: Crawl,
    tracked_list: TrackedList,
    overrides: Overrides,
    *,
    observed_at: datetime,
    known: Known = MappingProxyType({}),
) -> Collected:
    """Read the counters of all tracked models and of those that meet the policy.

    An invalid row becomes a dead letter, and its model is missing. A renamed model keeps its
    tracked id, so that its series continues. `known` are the registry's records. Raises
    `EmptyResponseError` without valid counters.
    """
    counters: dict[str, Counters] = {}
    missing = dict(found.missing)
    discovered: list[ModelRecord] = []
    for model_id, row in sorted(found.rows.items()):
        tracked = model_id in tracked_list.models
        if not tracked and not passes_policy(model_id, row):
            continue
        try:
            counters[model_id] = Counters.model_validate(row)
            if not tracked:
                facts = HubFacts.model_validate(row)
                discovered.append(
                    resolve(
                        model_id,
                        facts,
                        tracked_list,
                        overrides,
                        observed_at=observed_at,
                        before=known.get(model_id),
                    )
                )
        except ValidationError as error:
            counters.pop(model_id, None)
            reason = explain(error)
            found.rejected.add(row, f"{model_id}: {reason}")
            missing[model_id] = f"invalid row: {reason}"
    if not counters:
        raise EmptyResponseError(f"no valid counters: {next(iter(missing.values()), 'no model')}")
    failures = tuple(found.failures.values())
    return Collected(
        {"tracked models": len(counters) - len(discovered), "other models": len(discovered)},
        found.rejected,
        scrape=Scrape(SOURCE, observed_at, counters, missing, failures),
        discovered=discovered,
        missing=missing,
        failures=failures,
    )


class HuggingFaceJob(HubJob):
    """Download counters of the Hugging Face Hub.

    The tracked-models list is read at the first run and again every registry interval; when that
    fails, the earlier list stays in use, after a restart as the registry's records show it.
    """

    name = "huggingface"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._tracked_list: TrackedList | None = None
        self._list_read_at = 0.0
        self._registered: set[str] = set()
        """Untracked models whose record was published."""

    @property
    def cadence(self) -> Cadence:
        """Every scrape interval."""
        return Cadence(self.settings.scrape_seconds)

    async def collect(self, observed_at: datetime) -> Collected:
        """Scrape the counters; models discovered by an earlier run are not registered again."""
        tracked_list = await self._list()
        overrides = load_overrides(self.settings.overrides_file)
        found = await self.crawl(tracked_list, observed_at)
        collected = read_counters(
            found, tracked_list, overrides, observed_at=observed_at, known=self.known
        )
        new = [one for one in collected.discovered if one.model_id not in self._registered]
        if new:
            # The registry may have read a newer list since: its records are not replaced.
            await self.read_known()
            self._registered.update(self.known)
            new = [one for one in new if one.model_id not in self._registered]
        return replace(collected, discovered=new)

    def on_published(self, collected: Collected) -> None:
        """Remember the registered models."""
        self._registered.update(record.model_id for record in collected.discovered)

    async def _list(self) -> TrackedList:
        age = time.monotonic() - self._list_read_at
        if self._tracked_list is not None and age < self.settings.registry_seconds:
            return self._tracked_list
        await self.read_known()
        try:
            tracked_list = await self.read_list()
        except (SourceError, RegistryFileError) as error:
            earlier = self._tracked_list or known_list(self.known)
            if not earlier.models:
                raise
            log.warning("using the earlier tracked-models list", reason=str(error))
            return earlier
        self._tracked_list = tracked_list
        self._list_read_at = time.monotonic()
        return tracked_list
