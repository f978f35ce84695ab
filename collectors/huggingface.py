"""The Hugging Face Hub's download counters: one scrape of all tracked and discovered models."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from pydantic import ValidationError

from breakout.contract.events import DeadLetter, ModelRecord
from breakout.registry.hub import HubFacts
from breakout.registry.overrides import Overrides
from breakout.registry.resolve import resolve
from breakout.registry.tracked_list import TrackedList
from collectors.counters import Counters, dead_letter, explain
from collectors.http import Source
from collectors.hub import Progress, Row, Survey, SurveyError, passes_policy, survey
from collectors.slices import Scrape

log = structlog.get_logger(__name__)

SOURCE = "huggingface"


@dataclass(frozen=True)
class HubScrape:
    """A scrape of the Hub, with what else it found."""

    scrape: Scrape
    discovered: tuple[ModelRecord, ...]
    """Models of listed organisations that the policy lets pass and that are not tracked."""
    dead_letters: tuple[DeadLetter, ...]
    """Rows that could not be read."""


async def scrape_hub(
    hub: Source,
    tracked_list: TrackedList,
    overrides: Overrides,
    *,
    observed_at: datetime,
    on_progress: Progress = lambda _done, _total: None,
) -> HubScrape:
    """Read the counters of all tracked models and of those the policy lets pass.

    A row that cannot be read becomes a dead letter and its model a missing one; the other rows
    go on. A renamed model keeps its tracked id, so that its series goes on. Raises
    `SurveyError` when not one model's counters could be read.
    """
    found = await survey(
        hub,
        tracked_list.organisations,
        tracked_list.models,
        seed=observed_at.isoformat(),
        on_progress=on_progress,
    )
    reader = _Reader(found, tracked_list, overrides, observed_at)
    for model_id, row in sorted(found.rows.items()):
        reader.read(model_id, row)
    if not reader.counters:
        raise SurveyError(f"no readable counter: {next(iter(reader.missing.values()), 'no model')}")
    return HubScrape(
        Scrape(
            SOURCE, observed_at, reader.counters, reader.missing, tuple(found.troubles.values())
        ),
        tuple(reader.discovered),
        tuple(reader.dead_letters),
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
        self.dead_letters = [
            dead_letter(SOURCE, unreadable.row, unreadable.error) for unreadable in found.unreadable
        ]

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
            log.warning("row of the Hub cannot be read", model_id=model_id, why=why)
            self.dead_letters.append(dead_letter(SOURCE, row, f"{model_id}: {why}"))
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
