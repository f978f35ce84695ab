"""The registry: the tracked-models list joined with the Hub's metadata, one record a model."""

from datetime import datetime

from pydantic import ValidationError

from breakout.contract.events import ModelRecord
from breakout.registry.hub import HubFacts
from breakout.registry.overrides import Overrides, load_overrides
from breakout.registry.resolve import resolve
from breakout.registry.tracked_list import TrackedList
from collectors.hub.crawl import Crawl, passes_policy
from collectors.hub.job import HubJob
from collectors.publishing.rejected_rows import explain
from collectors.scheduling.cadence import HOUR, MONDAY, Cadence
from collectors.scheduling.outcome import Collected
from collectors.sources.tracked_models import fetch_tracked_list


class RegistryJob(HubJob):
    """Facts about each model: the tracked-models list joined with the Hub's metadata."""

    name = "registry"

    @property
    def cadence(self) -> Cadence:
        """Mondays at 07:00 UTC by default: the list is renewed an hour before."""
        return Cadence(self.settings.registry_seconds, MONDAY + 7 * HOUR)

    async def collect(self, observed_at: datetime) -> Collected:
        """Read the list and crawl the Hub."""
        overrides = load_overrides(self.settings.overrides_file)
        tracked_list = await fetch_tracked_list(self.settings, self.request_policy)
        found = await self.crawl(tracked_list, observed_at, collector=self.name)
        return resolve_models(found, tracked_list, overrides, observed_at=observed_at)


def resolve_models(
    found: Crawl, tracked_list: TrackedList, overrides: Overrides, *, observed_at: datetime
) -> Collected:
    """Join the list with the Hub's metadata, one record a model.

    A model without metadata has no record: it would replace an earlier one that has dates.
    """
    records: list[ModelRecord] = []
    missing = dict(found.missing)
    for model_id, row in sorted(found.rows.items()):
        if model_id not in tracked_list.models and not passes_policy(model_id, row):
            continue
        try:
            facts = HubFacts.model_validate(row)
            records.append(
                resolve(model_id, facts, tracked_list, overrides, observed_at=observed_at)
            )
        except ValidationError as error:
            reason = explain(error)
            found.rejected.add(row, f"{model_id}: {reason}")
            missing[model_id] = f"invalid row: {reason}"
    untracked = sum(not record.tracked for record in records)
    return Collected(
        {"tracked models": len(records) - untracked, "other models": untracked},
        found.rejected,
        records,
        missing=missing,
    )
