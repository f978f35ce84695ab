"""Models and what is known of them."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.answers import Operation, Row, answer
from api.parameters import Asked, Day, OfModels, PathPart, Text, Texts

router = APIRouter(tags=["models"])


class Model(Row):
    """A model; every fact with where it comes from."""

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


class ModelsAsked(OfModels):
    """Which models."""

    tracked: bool | None = Field(None, description="Only those on the tracked list, or not on it")
    released_from: Day | None = Field(None, description="Released on this day or later")
    released_to: Day | None = Field(None, description="Released on this day or earlier")
    family: Texts = Field([], description="These models and all that derive from them")
    search: Text | None = Field(None, description="Part of the model id, in any case")


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


@router.get("/models", **OPERATION.described())
async def models(request: Request, asked: Annotated[ModelsAsked, Query()]) -> Response:
    """Models by organisation, region, size, release date, family, or a part of the name."""
    return await answer(request, OPERATION, asked)


@router.get("/models/{org}/{name}", **OPERATION.described())
async def model(
    request: Request, org: PathPart, name: PathPart, asked: Annotated[Asked, Query()]
) -> Response:
    """One model."""
    model_id = f"{org}/{name}"
    return await answer(
        request, OPERATION, ModelsAsked(**asked.model_dump(), model=[model_id]), wanted=model_id
    )
