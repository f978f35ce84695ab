"""What a partition's models need for RAM, and what a registry record changes of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from breakout.contract import ModelRecord
from breakout.core.arrays import NULL
from breakout.core.times import day_ms, to_ms


@dataclass(frozen=True)
class RamInputs:
    """Registry facts that RAM depends on."""

    size_bin: str | None
    day0: int | None
    """00:00 UTC of the release date, milliseconds."""
    tracked: bool

    @classmethod
    def of(cls, record: ModelRecord) -> "RamInputs":
        """Return the inputs of a registry record."""
        day0 = None if record.released_at is None else day_ms(record.released_at)
        return cls(record.size_bin, day0, record.tracked)

    @property
    def has_ram(self) -> bool:
        """Whether the model has a size bin and a release date."""
        return self.size_bin is not None and self.day0 is not None


@dataclass(frozen=True)
class Registered:
    """A model as the registry has it; times in milliseconds UTC."""

    read_at: int
    changed_at: int
    """When the registry last changed the inputs."""
    inputs: RamInputs


@dataclass(frozen=True)
class RegistryChange:
    """A model whose inputs changed."""

    model_id: str
    left_bin: str | None
    """The size bin it has left, if any."""
    now: Registered


UNREGISTERED = Registered(NULL, NULL, RamInputs(None, None, tracked=False))


class Registry:
    """The registry's models of one partition."""

    def __init__(self) -> None:
        self._models: dict[str, Registered] = {}

    def restore(self, model_id: str, read_at: int, inputs: RamInputs) -> None:
        """Add a model as stored in ClickHouse; `read_at` in milliseconds UTC."""
        self._models[model_id] = Registered(read_at, read_at, inputs)

    def find(self, model_id: str) -> Registered:
        """Return a model's entry; `UNREGISTERED` without any."""
        return self._models.get(model_id, UNREGISTERED)

    def update(self, records: Iterable[ModelRecord]) -> list[RegistryChange]:
        """Take in records, of which the newest counts; return the models that RAM must reread."""
        before: dict[str, RamInputs] = {}
        for record in records:
            known = self.find(record.model_id)
            read_at = to_ms(record.observed_at)
            if known.read_at > read_at:
                continue
            before.setdefault(record.model_id, known.inputs)
            inputs = RamInputs.of(record)
            changed_at = known.changed_at if inputs == known.inputs else read_at
            self._models[record.model_id] = Registered(read_at, changed_at, inputs)
        return [
            RegistryChange(
                model_id,
                old.size_bin if old.has_ram and not _same_bin(old, now.inputs) else None,
                now,
            )
            for model_id, old in before.items()
            if (now := self._models[model_id]).inputs != old and (old.has_ram or now.inputs.has_ram)
        ]


def _same_bin(one: RamInputs, other: RamInputs) -> bool:
    return other.has_ram and one.size_bin == other.size_bin
