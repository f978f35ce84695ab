"""Models and their facts."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.operation import Operation, Row
from api.parameters import Day, ModelFilters, OperationParameters, PathPart, Text, Texts
from api.responses import respond

router = APIRouter(tags=["models"])


class Model(Row):
    """A model, its facts and their sources."""

    model_id: str
    org: str
    region: str | None
    total_params_b: float | None
    active_params_b: float | None
    size_bin: str | None
    released_at: date | None
    created_at: datetime | None
    license: str | None
    pipeline_tag: str | None
    base_models: list[str]
    base_relation: str | None
    tracked: bool
    size_source: str | None
    released_source: str | None
    region_source: str | None
    observed_at: datetime


class ModelsParameters(ModelFilters):
    """Filters of models."""

    tracked: bool | None = Field(None, description="Tracked models only (true), or others (false)")
    released_from: Day | None = Field(None, description="Released on this day or later")
    released_to: Day | None = Field(None, description="Released on this day or earlier")
    family: Texts = Field([], description="These models and all their derivatives")
    search: Text | None = Field(None, description="Part of the model id, ignoring case")

    def variant(self) -> str:
        """Return the variant of the query: derivatives are read for a family only."""
        return "family" if self.family else ""

    def is_of_one_model(self) -> bool:
        """Return whether all rows are of the one model of `model`, and have its id."""
        return len(self.model) == 1


OPERATION = Operation(
    "models",
    Model,
    [paging.text("model_id")],
    ("tracked-models", "huggingface"),
    {
        "model_id": "qi/Big-300B",
        "org": "qi",
        "region": "china",
        "total_params_b": 300.0,
        "active_params_b": 22.0,
        "size_bin": "250B+",
        "released_at": "2026-01-15",
        "created_at": "2026-01-14T09:30:00.000Z",
        "license": "apache-2.0",
        "pipeline_tag": "text-generation",
        "base_models": [],
        "base_relation": None,
        "tracked": True,
        "size_source": "safetensors",
        "released_source": "created_at",
        "region_source": "manual",
        "observed_at": "2026-04-01T12:00:00.000Z",
    },
)


@router.get("/models", **OPERATION.openapi())
async def models(request: Request, params: Annotated[ModelsParameters, Query()]) -> Response:
    """Models by organisation, region, size, release date, family, or part of the name."""
    return await respond(request, OPERATION, params)


@router.get("/models/{org}/{name}", **OPERATION.openapi())
async def model(
    request: Request, org: PathPart, name: PathPart, params: Annotated[OperationParameters, Query()]
) -> Response:
    """One model."""
    model_id = f"{org}/{name}"
    return await respond(
        request, OPERATION, ModelsParameters(**params.model_dump(), model=[model_id])
    )
