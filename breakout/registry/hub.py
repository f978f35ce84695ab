"""Metadata of a model on the Hub, without its counters."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from breakout.contract.events import Counter, UtcDatetime
from breakout.contract.model_ids import ModelId
from breakout.contract.names import Name, is_name


class Safetensors(BaseModel):
    """Parameter counts that the Hub reads from the weights."""

    total: Counter | None = None


def _model_ids(models: Any) -> Any:
    """Return the ids of base models; one without an id was deleted."""
    if not isinstance(models, list):
        return models
    ids = [model.get("id") if isinstance(model, dict) else model for model in models]
    return [model_id for model_id in ids if model_id is not None]


class BaseModels(BaseModel):
    """Base models of a model, and how it derives from them."""

    relation: Name | None = None
    models: Annotated[list[ModelId], BeforeValidator(_model_ids)] = Field(default_factory=list)


class HubFacts(BaseModel):
    """A row of the Hub's listing. Unknown fields are ignored, missing ones are None."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: ModelId
    created_at: UtcDatetime | None = Field(None, alias="createdAt")
    safetensors: Safetensors | None = None
    base_models: BaseModels | None = Field(None, alias="baseModels")
    gated: str | bool | None = None
    pipeline_tag: Name | None = None
    tags: list[str] | None = None

    @property
    def license(self) -> str | None:
        """The licence in the tags."""
        for tag in self.tags or ():
            if (name := tag.removeprefix("license:")) != tag and is_name(name):
                return name
        return None
