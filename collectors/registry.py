"""The registry: the tracked-models list joined with the Hub's metadata, one record a model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from pydantic import ValidationError

from breakout.contract.events import DeadLetter, ModelRecord
from breakout.registry.hub import HubFacts
from breakout.registry.overrides import Overrides
from breakout.registry.resolve import resolve
from breakout.registry.tracked_list import TrackedList
from collectors.counters import dead_letter, explain
from collectors.http import Source
from collectors.hub import Progress, passes_policy, survey

log = structlog.get_logger(__name__)

SOURCE = "registry"


@dataclass(frozen=True)
class Registry:
    """What is known of the models."""

    records: tuple[ModelRecord, ...]
    """Tracked models and those the policy lets pass, by model id."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Tracked models the Hub said nothing of, and why: what was known of them stays."""
    dead_letters: tuple[DeadLetter, ...] = ()
    """Rows that could not be read."""


async def read_registry(
    hub: Source,
    tracked_list: TrackedList,
    overrides: Overrides,
    *,
    observed_at: datetime,
    on_progress: Progress = lambda _done, _total: None,
) -> Registry:
    """Join the list with the Hub's metadata.

    A model without metadata gets no record: a record without its dates would take the place
    of an earlier one that has them. Raises `SurveyError` when the Hub gave nothing.
    """
    found = await survey(
        hub,
        tracked_list.organisations,
        tracked_list.models,
        seed=observed_at.isoformat(),
        on_progress=on_progress,
    )
    records: list[ModelRecord] = []
    missing = dict(found.missing)
    letters = [
        dead_letter(SOURCE, unreadable.row, unreadable.error) for unreadable in found.unreadable
    ]
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
            log.warning("row of the Hub cannot be read", model_id=model_id, why=why)
            letters.append(dead_letter(SOURCE, row, f"{model_id}: {why}"))
            missing[model_id] = f"unreadable row: {why}"
    return Registry(tuple(records), missing, tuple(letters))
