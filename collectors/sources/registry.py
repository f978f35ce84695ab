"""The registry: the tracked-models list joined with the Hub's metadata, one record a model."""

from datetime import datetime
from types import MappingProxyType

from pydantic import ValidationError

from breakout.contract.compacted import has_equal_facts
from breakout.contract.events import ModelRecord
from breakout.registry.hub import HubFacts
from breakout.registry.known import Known
from breakout.registry.overrides import Overrides, load_overrides
from breakout.registry.resolve import resolve
from breakout.registry.tracked_list import TrackedList
from collectors.hub.crawl import Crawl, passes_policy
from collectors.hub.job import HubJob
from collectors.publishing.rejected_rows import explain
from collectors.scheduling.cadence import HOUR, MONDAY, Cadence
from collectors.scheduling.outcome import Collected


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
        await self.read_known()
        tracked_list = await self.read_list()
        found = await self.crawl(tracked_list, observed_at, collector=self.name)
        return resolve_models(
            found, tracked_list, overrides, observed_at=observed_at, known=self.known
        )


def resolve_models(
    found: Crawl,
    tracked_list: TrackedList,
    overrides: Overrides,
    *,
    observed_at: datetime,
    known: Known = MappingProxyType({}),
) -> Collected:
    """Join the list with the Hub's metadata, one record a model.

    A model that the Hub does not list now is resolved from its `known` record, so that a fact which
    the list or the overrides withdraw no longer holds for it either; it has a record only if that
    changes anything. A model that was never known has none.
    """
    renames = found.renames(tracked_list.models, known)
    records: dict[str, ModelRecord] = {}
    missing = dict(found.missing)

    def resolved(model_id: str, facts: HubFacts, *, alias: bool = False) -> ModelRecord:
        return resolve(
            model_id,
            facts,
            tracked_list,
            overrides,
            observed_at=observed_at,
            before=known.get(model_id),
            alias=alias,
            renames=renames,
        )

    aliased = {alias: found.rows[counted] for alias, counted in found.aliases.items()}
    for model_id, row in sorted((found.rows | aliased).items()):
        wanted = model_id in tracked_list.models or model_id in known
        if not wanted and not passes_policy(model_id, row):
            continue
        try:
            facts = HubFacts.model_validate(row)
            records[model_id] = resolved(model_id, facts, alias=model_id in aliased)
        except ValidationError as error:
            reason = explain(error)
            if model_id not in aliased:
                found.rejected.add(row, f"{model_id}: {reason}")
            missing[model_id] = f"invalid row: {reason}"
    for model_id, before in sorted(known.items()):
        if model_id not in records:
            record = resolved(model_id, HubFacts.remembered(before))
            if not has_equal_facts(record, before):
                records[model_id] = record
    tracked = sum(record.tracked for record in records.values())
    withdrawn = sum(
        before.tracked and model_id in records and not records[model_id].tracked
        for model_id, before in known.items()
    )
    return Collected(
        {"tracked models": tracked, "other models": len(records) - tracked},
        found.rejected,
        [records[model_id] for model_id in sorted(records)],
        missing=missing,
        notes=(f"no longer tracked: {withdrawn}",) if withdrawn else (),
    )
