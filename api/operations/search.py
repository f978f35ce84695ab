"""Search for models and organisations by a part of their name."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import paging
from api.operation import Operation, Row
from api.parameters import OperationParameters
from api.responses import respond

router = APIRouter(tags=["models"])
Kind = Literal["model", "organisation"]


class Hit(Row):
    """A model or an organisation, and how its name matches."""

    kind: Kind
    id: str = Field(description="Model id, or name of the organisation")
    org: str
    region: str | None
    size_bin: str | None = Field(description="null for organisations, and models without a size")
    models: int = Field(description="Models of the organisation; 1 for a model")
    tracked: int = Field(description="How many of these models are tracked")
    match: Literal["exact", "prefix", "part", "near"] = Field(
        description="near: no name has the text, this is one of the nearest"
    )
    place: int = Field(description="The best match is 1")


class SearchParameters(OperationParameters):
    """What to search for."""

    search: str = Field(
        "",
        max_length=200,
        description="Words that the name must have, in any order and case; default: all names",
    )
    kind: Annotated[list[Kind], Field(max_length=2)] = Field(
        ["model", "organisation"], description="What to search; default: both"
    )


OPERATION = Operation(
    "search",
    Hit,
    [paging.number("place")],
    ("tracked-models", "huggingface"),
    {
        "kind": "model",
        "id": "qi/Big-300B",
        "org": "qi",
        "region": "china",
        "size_bin": "250B+",
        "models": 1,
        "tracked": 1,
        "match": "part",
        "place": 1,
    },
)


@router.get("/search", **OPERATION.openapi())
async def search(request: Request, params: Annotated[SearchParameters, Query()]) -> Response:
    """Models and organisations by words of their name, the best match first.

    Exact names come first, then those that begin with the text, then the rest: tracked models
    before others, by downloads. If no name has all words, the five nearest names are returned.
    As of the latest registry, for every `as_of`.
    """
    return await respond(request, OPERATION, params)
