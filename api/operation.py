"""An operation of the API: its query, its rows, and its OpenAPI description."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from api import formats
from api.formats import Format
from api.paging import Key
from api.problems import PROBLEMS, described

R = TypeVar("R", bound=BaseModel)
NOT_MODIFIED: dict[str, str] = {"description": "Not modified: `If-None-Match` names this ETag"}


class Row(BaseModel):
    """A row of a response."""

    model_config = ConfigDict(extra="forbid")


class Page(BaseModel, Generic[R]):
    """A JSON response."""

    as_of: datetime | None = Field(description="Timestamp of the data, UTC; null = no data yet")
    self: str = Field(description="URL path of this response with its `as_of`, for citing")
    sources: list[str] = Field(description="Sources of the data, see /v1/sources")
    citation: str = Field(description="Citation of this response, as plain text")
    bibtex: str = Field(description="Citation of this response, as an entry of BibTeX")
    data: list[R]
    next: str | None = Field(description="`cursor` of the next page; null = this is the last page")


@dataclass(frozen=True)
class Operation:
    """A query with the type of its rows."""

    query: str
    """Name of the file in `sql/api/`."""
    row: type[Row]
    keys: Sequence[Key]
    """Total order of the rows."""
    sources: tuple[str, ...]
    example: dict[str, Any]
    """A row."""
    has_history: bool = False
    """Whether the figures rest on the history of the Hub's counters, which archives may fill."""

    def text_columns(self) -> list[str]:
        """Return the columns with free text, which may begin with any character."""
        columns = self.row.model_fields.items()
        return [name for name, field in columns if field.annotation in (str, str | None)]

    def openapi(self) -> dict[str, Any]:
        """Return the keyword arguments of the route that describe its responses."""
        example = {
            "as_of": "2026-04-01T12:00:00.000Z",
            "self": "/v1/...?as_of=2026-04-01T12%3A00%3A00.000Z",
            "sources": list(self.sources),
            "citation": "The Breakout developers, Breakout 0.1.0: ...",
            "bibtex": "@misc{breakout-..., ...}",
            "data": [self.example],
            "next": None,
        }
        table = {"schema": {"type": "string", "format": "binary"}}
        tables = [media for name, media in formats.MEDIA_TYPES.items() if name != Format.JSON]
        files: dict[str, Any] = {media.partition(";")[0]: table for media in tables}
        content = {**files, "application/json": {"example": example}}
        page = Page[self.row]  # type: ignore[name-defined] # a model made for this row
        responses: dict[int | str, Any] = {
            200: {"model": page, "description": "The rows", "content": content},
            206: {"description": "Part of a file, by `Range`", "content": files},
            304: NOT_MODIFIED,
            416: described("The file has no bytes in `Range`"),
        }
        return {"response_model": None, "responses": {**responses, **PROBLEMS}}
