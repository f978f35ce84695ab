"""The content of the simulated Hub: organisations and models."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Literal

from breakout.core.times import DAY_MS
from breakout.simulation.clock import milliseconds
from breakout.simulation.curves import Launch
from breakout.simulation.incidents import Incident

Region = Literal["us", "china", "eu", "other", "unknown"]
Relation = Literal["adapter", "merge", "quantized", "finetune"]
Gated = Literal["auto", "manual", False]
TrackedList = Literal["models.csv", "extra_models.csv"]


@dataclass(frozen=True)
class Organisation:
    """A namespace of the Hub."""

    name: str
    region: Region | None = None
    """Headquarters; None = not reviewed in the tracked-models list."""
    notes: str = ""


@dataclass(frozen=True)
class Model:
    """One repository and its history. All times have a zone."""

    id: str
    created_at: datetime = datetime(2025, 1, 1, tzinfo=UTC)
    launch: Launch = field(default=Launch(day_30=30_000))
    released_on: date | None = None
    """Date of the announcement if it differs from the day of `created_at`."""
    pipeline_tag: str | None = "text-generation"
    library_name: str | None = "transformers"
    license: str | None = "apache-2.0"
    safetensors_total: int | None = None
    """Parameters that the Hub counts in safetensors files; None = no such files."""
    dtype: str = "BF16"
    total_params_b: float | None = None
    """Actual size in decimal billions; in the list's manual table if `manual_size`."""
    active_params_b: float | None = None
    manual_size: bool = False
    base_models: tuple[str, ...] = ()
    base_relation: Relation | None = None
    gated: Gated = False
    tags: tuple[str, ...] = ()
    likes_share: float | None = 0.002
    """Likes per download; None = the Hub leaves likes out."""
    tracked_in: TrackedList | None = "models.csv"
    tracked_since: datetime | None = None
    """When it was added to the list; None = from the beginning."""
    renamed_to: str | None = None
    renamed_at: datetime | None = None
    deleted_at: datetime | None = None
    private_from: datetime | None = None

    def __post_init__(self) -> None:
        org, _, name = self.id.partition("/")
        if not org or not name or "/" in name:
            raise ValueError(f"a model id is organisation/name, got {self.id!r}")
        for name in ("created_at", "tracked_since", "renamed_at", "deleted_at", "private_from"):
            value = getattr(self, name)
            if value is not None and value.tzinfo is None:
                raise ValueError(f"{self.id}: {name} needs a time zone, such as +00:00")
        if (self.renamed_to is None) != (self.renamed_at is None):
            raise ValueError(f"{self.id}: renamed_to and renamed_at must be set together")

    @property
    def org(self) -> str:
        """The namespace."""
        return self.id.partition("/")[0]

    @property
    def public_at(self) -> datetime:
        """Start of its downloads: the later of creation and announcement."""
        if self.released_on is None:
            return self.created_at
        announced = datetime.combine(self.released_on, time(9), tzinfo=UTC)
        return max(self.created_at, announced)


@dataclass(frozen=True)
class Catalog:
    """All content of the simulated Hub."""

    models: tuple[Model, ...]
    organisations: tuple[Organisation, ...]
    incidents: tuple[Incident, ...] = ()
    seed: int = 0
    roles: Mapping[str, str] = field(default_factory=dict)
    """The role of each invented model in the demo, by id."""

    def __post_init__(self) -> None:
        ids = [model.id for model in self.models]
        if len(set(ids)) != len(ids):
            twice = sorted({model_id for model_id in ids if ids.count(model_id) > 1})
            raise ValueError(f"the catalog has duplicate ids: {', '.join(twice)}")
        unknown = {i.model_id for i in self.incidents if hasattr(i, "model_id")} - set(ids)
        if unknown:
            raise ValueError(f"an incident refers to models outside the catalog: {sorted(unknown)}")

    @classmethod
    def of(
        cls,
        models: Iterable[Model | str],
        *,
        organisations: Iterable[Organisation] = (),
        incidents: Iterable[Incident] = (),
        created_at: datetime | None = None,
        seed: int = 0,
    ) -> "Catalog":
        """Build a small catalog; a string is a model with default facts.

        `created_at` replaces that of the models given as strings. Namespaces without an
        organisation get one without a reviewed region.
        """
        held = tuple(_model(item, created_at) for item in models)
        known = {organisation.name: organisation for organisation in organisations}
        for model in held:
            known.setdefault(model.org, Organisation(model.org))
        return cls(held, tuple(known.values()), tuple(incidents), seed)

    def seed_of(self, *key: str) -> int:
        """Return a seed for one item, independent of all other items."""
        text = "\n".join((str(self.seed), *key))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])

    def earliest_day(self) -> int:
        """Return the day of the first model's creation, in days since 1970-01-01."""
        return min((milliseconds(model.created_at) for model in self.models), default=0) // DAY_MS


def _model(item: Model | str, created_at: datetime | None) -> Model:
    if isinstance(item, Model):
        return item
    model = Model(item)
    return replace(model, created_at=created_at) if created_at is not None else model
