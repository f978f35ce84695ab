"""The query of `GET /api/models`, validated like the Hub does."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass

from multidict import MultiMapping

MODEL_FIELDS = [
    "author",
    "baseModels",
    "cardData",
    "childrenModelCount",
    "config",
    "createdAt",
    "disabled",
    "downloads",
    "downloadsAllTime",
    "evalResults",
    "gated",
    "gguf",
    "inference",
    "inferenceProviderMapping",
    "lastModified",
    "library_name",
    "likes",
    "mask_token",
    "model-index",
    "pipeline_tag",
    "private",
    "resourceGroup",
    "safetensors",
    "sha",
    "siblings",
    "spaces",
    "tags",
    "transformersInfo",
    "trendingScore",
    "usedStorage",
    "widgetData",
    "xetEnabled",
]
LIST_FIELDS = [f for f in MODEL_FIELDS if f not in {"childrenModelCount", "usedStorage"}]
SORTS = ("createdAt", "downloads", "lastModified", "likes", "trendingScore")
MAX_LIMIT = 1000

_PARAMETER_UNITS = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


class QueryError(ValueError):
    """A query that the Hub rejects with 400. The message is the Hub's `error`."""


@dataclass(frozen=True)
class Cursor:
    """A position in a sorted list: after the model with this key and `_id`."""

    key: int
    object_id: str

    def __str__(self) -> str:
        text = json.dumps([self.key, self.object_id], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@dataclass(frozen=True)
class ListQuery:
    """A client's query of the list."""

    author: str | None
    search: str | None
    tags: tuple[str, ...]
    gated: bool | None
    parameters: tuple[int | None, int | None]
    """Minimum and maximum number of parameters, inclusive."""
    sort: str
    descending: bool
    limit: int
    fields: tuple[str, ...] | None
    """Fields of `expand`; None = the default ones."""
    full: bool
    cursor: Cursor | None

    @property
    def takes_all(self) -> bool:
        """Whether no filter excludes a model."""
        filters = (self.author, self.search, self.gated, *self.parameters)
        return not self.tags and all(value is None for value in filters)


def read_list_query(query: MultiMapping[str]) -> ListQuery:
    """Parse the query. Raises `QueryError` like the Hub."""
    fields = read_fields(query, LIST_FIELDS)
    full = any(_flag(query, name) for name in ("full", "cardData", "config"))
    sort = query.get("sort", "trendingScore")
    if sort not in SORTS:
        raise QueryError(_invalid(SORTS, "sort"))
    direction = query.get("direction", "-1")
    if direction not in {"-1", "1"}:
        raise QueryError(_invalid(("-1", "1"), "direction"))
    tags = [tag for value in query.getall("filter", []) for tag in value.split(",") if tag]
    if "pipeline_tag" in query:
        tags.append(query["pipeline_tag"])
    return ListQuery(
        author=query.get("author"),
        search=query.get("search"),
        tags=tuple(tags),
        gated=_flag(query, "gated") if "gated" in query else None,
        parameters=_parameters(query.get("num_parameters", "")),
        sort=sort,
        descending=direction == "-1",
        limit=_limit(query.get("limit", str(MAX_LIMIT))),
        fields=fields,
        full=full,
        cursor=_cursor(query["cursor"]) if "cursor" in query else None,
    )


def read_fields(query: MultiMapping[str], allowed: list[str]) -> tuple[str, ...] | None:
    """Return the fields of `expand`, None without. Raises `QueryError` for one not allowed."""
    names = [*query.getall("expand[]", []), *query.getall("expand", [])]
    for i, name in enumerate(names):
        if name not in allowed:
            raise QueryError(_invalid(allowed, f"expand[{i}]"))
    if names and any(name in query for name in ("full", "cardData", "config")):
        raise QueryError("✖ expand cannot be used with full, cardData or config\n  → at expand")
    return tuple(dict.fromkeys(names)) or None


def _invalid(allowed: Sequence[str], where: str) -> str:
    # The Hub's wording: a zod error, printed.
    options = "|".join(f'"{option}"' for option in allowed)
    return f"✖ Invalid option: expected one of {options}\n  → at {where}"


def _flag(query: MultiMapping[str], name: str) -> bool:
    return query.get(name, "").lower() in {"true", "1"}


def _limit(text: str) -> int:
    if not text.isdecimal():
        raise QueryError("✖ Invalid input: expected number, received NaN\n  → at limit")
    if int(text) < 1:
        raise QueryError("✖ Too small: expected number to be >=1\n  → at limit")
    return min(int(text), MAX_LIMIT)


def _cursor(text: str) -> Cursor:
    try:
        key, object_id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, TypeError, binascii.Error):
        raise QueryError("Invalid cursor") from None
    if not isinstance(key, int) or not isinstance(object_id, str):
        raise QueryError("Invalid cursor")
    return Cursor(key, object_id)


def _parameters(text: str) -> tuple[int | None, int | None]:
    bounds: dict[str, int] = {}
    for part in filter(None, text.split(",")):
        name, _, size = part.partition(":")
        unit = _PARAMETER_UNITS.get(size[-1:].upper())
        try:
            number = float(size[:-1] if unit else size)
        except ValueError:
            number = -1.0
        if name not in {"min", "max"} or number < 0:
            raise QueryError("✖ Invalid input: expected min:6B,max:128B\n  → at num_parameters")
        bounds[name] = int(number * (unit or 1))
    return bounds.get("min"), bounds.get("max")
