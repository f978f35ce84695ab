"""What one worker knows of the models that derive from others; pure, no I/O.

The newest observation of a model counts; of two at one moment, the one that is greater in an
order of its own, so it does not matter which comes first.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from breakout.contract import DerivativesSlice
from breakout.contract.times import to_ms
from breakout.core.lineage import Ancestry, Lineage


class Observed(NamedTuple):
    """The latest observation of a model. Null is -1, or an empty text."""

    at: int
    """Moment, milliseconds UTC. First, so that the newest is the greatest."""
    downloads_all_time: int
    downloads_30d: int
    created_at: int
    """Milliseconds UTC."""
    relation: str
    parents: tuple[str, ...]


@dataclass
class Changes:
    """What a batch changes of one source."""

    version: int = 0
    """Observations known when the batch was worked through."""
    observed: dict[str, Observed] = field(default_factory=dict)
    """By model id."""
    ancestry: dict[str, Ancestry] = field(default_factory=dict)
    """Of every model whose ancestors or roots may have changed, by model id."""


class SourceState:
    """All derivatives of one source: the whole graph, since lineage crosses every border."""

    def __init__(self) -> None:
        self.version = 0
        self._observed: dict[str, Observed] = {}
        self._lineage = Lineage()

    def __len__(self) -> int:
        return len(self._observed)

    def restore(self, model_id: str, observed: Observed, version: int) -> None:
        """Take up what ClickHouse knows of a model."""
        self._observed[model_id] = observed
        self._lineage.set_parents(model_id, observed.parents)
        self.version = max(self.version, version)

    def take(self, slices: Iterable[DerivativesSlice]) -> Changes:
        """Take up observations and return what they change."""
        changes = Changes()
        moved = set()
        for one in slices:
            for model_id, observed in _rows(one):
                before = self._observed.get(model_id)
                if before is not None and observed <= before:
                    continue
                self.version += 1
                self._observed[model_id] = changes.observed[model_id] = observed
                if before is None or observed.parents != before.parents:
                    self._lineage.set_parents(model_id, observed.parents)
                    moved.add(model_id)
        for model_id in self._lineage.descendants(moved):
            changes.ancestry[model_id] = self._lineage.ancestry(model_id)
        changes.version = self.version
        return changes


def _rows(one: DerivativesSlice) -> Iterable[tuple[str, Observed]]:
    at = to_ms(one.observed_at)
    columns = zip(
        one.models,
        one.downloads_all_time,
        one.downloads_30d,
        one.created_at,
        one.relation,
        one.parents,
        strict=True,
    )
    for model_id, all_time, days_30, created_at, relation, parents in columns:
        yield (
            model_id,
            Observed(
                at,
                -1 if all_time is None else all_time,
                -1 if days_30 is None else days_30,
                -1 if created_at is None else to_ms(created_at),
                relation or "",
                tuple(parents),
            ),
        )
