"""The index of the API: what there is under `/v1`, with addresses and formats."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from api import formats
from api.problems import PROBLEMS

router = APIRouter(tags=["index"])
PATH = "/v1"
LINKS = {
    "docs": "/docs",
    "openapi": "/openapi.json",
    "definitions": "/docs/definitions.md",
    "sources": "/v1/sources",
    "page": "/",
}
_FORMATS = {media.partition(";")[0]: str(name) for name, media in formats.MEDIA_TYPES.items()}
_FORMATS["image/svg+xml"] = "svg"


class IndexedOperation(BaseModel):
    """An operation of the API."""

    path: str = Field(description="URL path; {org} and {name} are the parts of a model id")
    summary: str
    formats: list[str] = Field(description="Values of `format`")
    parameters: list[str] = Field(description="Names of its query parameters")


class Index(BaseModel):
    """What the API has."""

    title: str
    version: str
    description: str
    operations: list[IndexedOperation]
    links: dict[str, str] = Field(
        description="URL paths of the reference, the OpenAPI description, the definitions of all "
        "numbers, the sources with their licences, and the web page"
    )


@router.get(PATH, response_model=Index, responses=PROBLEMS)
async def index(request: Request) -> Response:
    """All operations, with their parameters and formats, and where they are documented."""
    description: dict[str, Any] = request.app.openapi()
    info, paths = description["info"], description["paths"]
    operations = [_operation(path, methods["get"]) for path, methods in paths.items()]
    content = Index(
        title=info["title"],
        version=info["version"],
        description=" ".join(info["description"].split()),
        operations=[operation for operation in operations if operation.path != PATH],
        links=LINKS,
    )
    return JSONResponse(content.model_dump(), headers={"Cache-Control": "no-cache"})


def _operation(path: str, described: dict[str, Any]) -> IndexedOperation:
    content = described["responses"]["200"].get("content", {})
    parameters = described.get("parameters", [])
    return IndexedOperation(
        path=path,
        summary=described["summary"],
        formats=[name for media, name in _FORMATS.items() if media in content],
        parameters=[one["name"] for one in parameters if one["in"] == "query"],
    )
