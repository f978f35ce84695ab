"""Metadata of a model on the Hub, without its counters."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from breakout.contract.events import Counter, ModelRecord, UtcDatetime
from breakout.contract.model_ids import ModelId
from breakout.contract.names import Name, is_name
from breakout.registry.renames import Renames

BILLION = 1e9

OLDER = datetime(2022, 3, 2, 23, 29, 4, tzinfo=UTC)
"""The Hub's creation time of every repository that is older than it: no age from it."""


_OBJECT_ID = re.compile(r"[0-9a-f]{24}")


def object_id(value: Any) -> str | None:
    """Return the Hub's own id of a repository; None for anything else."""
    return value if isinstance(value, str) and _OBJECT_ID.fullmatch(value) else None


class Safetensors(BaseModel):
    """Parameter counts that the Hub reads from the weights."""

    parameters: dict[str, Counter] | None = None
    """By type of number."""
    total: Counter | None = None


class BaseModels(BaseModel):
    """Base models of a model, and how it derives from them."""

    relation: Name | None = None
    models: list[ModelId] = Field(default_factory=list)
    repositories: list[str | None] = Field(default_factory=list)
    """The Hub's own ids of these models."""

    @model_validator(mode="before")
    @classmethod
    def _split(cls, content: Any) -> Any:
        """Split the models into ids and repositories; one without an id was deleted."""
        models = content.get("models") if isinstance(content, dict) else None
        if not isinstance(models, list):
            return content
        pairs = [
            (one.get("id"), object_id(one.get("_id"))) if isinstance(one, dict) else (one, None)
            for one in models
        ]
        known = [pair for pair in pairs if pair[0] is not None]
        return {
            "relation": content.get("relation"),
            "models": [model_id for model_id, _ in known],
            "repositories": [repository for _, repository in known],
        }

    def counted(self, renames: Renames) -> list[str]:
        """Return the ids under which the models count, each once."""
        pairs = zip(self.models, self.repositories, strict=True)
        return list(dict.fromkeys(renames.counted(*pair) for pair in pairs))


class HubFacts(BaseModel):
    """A row of the Hub's listing. Unknown fields are ignored, missing ones are None."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: ModelId
    """Its current name."""
    repository: Annotated[str | None, BeforeValidator(object_id)] = Field(None, alias="_id")
    """The Hub's own id, which a rename does not change."""
    created_at: UtcDatetime | None = Field(None, alias="createdAt")
    safetensors: Safetensors | None = None
    base_models: BaseModels | None = Field(None, alias="baseModels")
    gated: str | bool | None = None
    pipeline_tag: Name | None = None
    tags: list[str] | None = None

    @classmethod
    def remembered(cls, record: ModelRecord) -> Self:
        """Return what an earlier record states of a model that the Hub does not list now."""
        parameters, total = (
            None if size_b is None else round(size_b * BILLION)
            for size_b in (record.size_parameters_b, record.size_total_b)
        )
        return cls.model_validate(
            {
                "id": record.renamed_to or record.model_id,
                "_id": record.repository,
                "createdAt": record.created_at,
                "safetensors": {
                    "parameters": None if parameters is None else {"": parameters},
                    "total": total,
                },
                "baseModels": {"relation": record.base_relation, "models": record.base_models},
                "pipeline_tag": record.pipeline_tag,
                "tags": [f"license:{record.license}"] if record.license else None,
            }
        )

    @property
    def parameters_b(self) -> float | None:
        """Sum of the weights' parameters by type, decimal billions."""
        parameters = self.safetensors.parameters if self.safetensors else None
        return sum(parameters.values()) / BILLION or None if parameters else None

    @property
    def total_b(self) -> float | None:
        """The weights' own total of parameters, decimal billions."""
        total = self.safetensors.total if self.safetensors else None
        return total / BILLION if total else None

    @property
    def license(self) -> str | None:
        """The licence in the tags."""
        for tag in self.tags or ():
            if (name := tag.removeprefix("license:")) != tag and is_name(name):
                return name
        return None
