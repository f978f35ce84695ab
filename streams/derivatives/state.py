"""State of the derivatives processor: the latest observation of each derivative; no I/O.

The newest observation of a model counts; of two at one time, the greater tuple, so the order of
arrival does not matter.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from breakout.contract import DerivativesSlice
from breakout.core.lineage import Ancestry, Lineage
from breakout.core.times import to_ms


class Observed(NamedTuple):
    """The latest observation of a model. Null is -1, or an empty string."""

    at: int
    """Observation time, milliseconds UTC. The first field, so that the newest tuple is greatest."""
    downloads_all_time: int
    downloads_30d: int
    created_at: int
    """Milliseconds UTC."""
    relation: str
    parents: tuple[str, ...]


@dataclass
class Changes:
    """Changes of one source by a batch."""

    version: int = 0
    """Observations taken in so far: the version of the rows."""
    observed: dict[str, Observed] = field(default_factory=dict)
    """By model id."""
    ancestry: dict[str, Ancestry] = field(default_factory=dict)
    """By model id, of every model whose ancestors or roots may have changed."""


class SourceState:
    """All derivatives of one source: the complete graph, since lineage crosses organisations."""

    def __init__(self) -> None:
        self.version = 0
        self._observed: dict[str, Observed] = {}
        self._lineage = Lineage()

    def __len__(self) -> int:
        return len(self._observed)

    def restore(self, model_id: str, observed: Observed, version: int) -> None:
        """Add a model as stored in ClickHouse."""
        self._observed[model_id] = observed
        self._lineage.set_parents(model_id, observed.parents)
        self.version = max(self.version, version)

    def update(self, slices: Iterable[DerivativesSlice]) -> Changes:
        """Take in observations; return the changes."""
        changes = Changes()
        moved = set()
        for derivatives in slices:
            for model_id, observed in _observations(derivatives):
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


def _observations(derivatives: DerivativesSlice) -> Iterable[tuple[str, Observed]]:
    at = to_ms(derivatives.observed_at)
    columns = zip(
        derivatives.models,
        derivatives.downloads_all_time,
        derivatives.downloads_30d,
        derivatives.created_at,
        derivatives.relation,
        derivatives.parents,
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
