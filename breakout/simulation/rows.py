"""Models as JSON rows of the Hub's API."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from breakout.simulation.catalog import Catalog, Model
from breakout.simulation.clock import milliseconds
from breakout.simulation.counters import Snapshot
from breakout.simulation.query import ListQuery

DEFAULT_FIELDS = (
    "likes", "trendingScore", "private", "downloads", "tags", "pipeline_tag", "library_name",
    "createdAt",
)  # fmt: skip
FULL_FIELDS = (*DEFAULT_FIELDS, "author", "gated", "disabled", "lastModified", "sha", "siblings")
INFO_FIELDS = (*FULL_FIELDS, "cardData", "config", "safetensors", "gguf", "usedStorage")

Row = dict[str, Any]


class Rows:
    """Rows of a catalog's models, which are identified by their index in the catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self.models = catalog.models
        self.object_ids = [_hex(model.id, 24) for model in catalog.models]
        self.tags = [_tags(model) for model in catalog.models]
        self._children = Counter(base for model in catalog.models for base in model.base_models)
        self._fixed = [self._facts(i) for i in range(len(catalog.models))]
        self._created = [milliseconds(model.created_at) for model in catalog.models]
        self._shown_until = [_shown_until(model) for model in catalog.models]
        self._by_author: dict[str, list[int]] = {}
        for i, model in enumerate(catalog.models):
            # A model may move to another namespace.
            for model_id in (model.id, model.renamed_to or model.id):
                held = self._by_author.setdefault(model_id.partition("/")[0], [])
                if i not in held[-1:]:
                    held.append(i)
        self._modified = [milliseconds(_modified(model)) for model in catalog.models]

    def id_at(self, i: int, now: datetime) -> str:
        """Return the model's id at a time."""
        model = self.models[i]
        if model.renamed_at is not None and model.renamed_to and model.renamed_at <= now:
            return model.renamed_to
        return model.id

    def exists(self, i: int, now: datetime) -> bool:
        """Return whether the repository was created and not deleted."""
        model = self.models[i]
        deleted = model.deleted_at is not None and model.deleted_at <= now
        return model.created_at <= now and not deleted

    def is_private(self, i: int, now: datetime) -> bool:
        """Return whether the repository is private."""
        private_from = self.models[i].private_from
        return private_from is not None and private_from <= now

    def matching(self, query: ListQuery, now: datetime) -> Iterator[int]:
        """Yield the models that match a query, in no particular order."""
        now_ms, takes_all = milliseconds(now), query.takes_all
        everything = range(len(self.models))
        for i in everything if query.author is None else self._by_author.get(query.author, ()):
            shown = self._created[i] <= now_ms < self._shown_until[i]
            if shown and (takes_all or self._matches(i, query, now)):
                yield i

    def _matches(self, i: int, query: ListQuery, now: datetime) -> bool:
        model, model_id = self.models[i], self.id_at(i, now)
        if query.author is not None and model_id.partition("/")[0] != query.author:
            return False
        if query.search is not None and query.search.lower() not in model_id.lower():
            return False
        if query.gated is not None and bool(model.gated) != query.gated:
            return False
        fewest, most = query.parameters
        total = model.safetensors_total
        if (fewest is not None or most is not None) and total is None:
            return False
        return (
            all(tag in self.tags[i] for tag in query.tags)
            and (fewest is None or total is None or total >= fewest)
            and (most is None or total is None or total <= most)
        )

    def row(self, i: int, fields: tuple[str, ...], snapshot: Snapshot, now: datetime) -> Row:
        """Return `_id`, `id` and those of `fields` that have a value."""
        model_id = self.id_at(i, now)
        row: Row = {"_id": self.object_ids[i], "id": model_id}
        fixed = self._fixed[i]
        changing = {
            "author": model_id.partition("/")[0],
            "downloads": snapshot.downloads_30d[i],
            "downloadsAllTime": snapshot.downloads_all_time[i],
            "likes": snapshot.likes[i],
            "trendingScore": snapshot.trending[i],
        }
        for field in fields:
            value = changing[field] if field in changing else fixed.get(field)
            if value is not None:
                row[field] = value
        return row

    def sort_keys(self, sort: str, snapshot: Snapshot) -> Sequence[int | None]:
        """Return the sort keys, one a model; None for a missing counter."""
        columns: dict[str, Sequence[int | None]] = {
            "createdAt": self._created,
            "downloads": snapshot.downloads_30d,
            "lastModified": self._modified,
            "likes": snapshot.likes,
            "trendingScore": snapshot.trending,
        }
        return columns[sort]

    def _facts(self, i: int) -> Row:
        model = self.models[i]
        total = model.safetensors_total
        card: Row = {"library_name": model.library_name, "pipeline_tag": model.pipeline_tag}
        card["license"] = model.license
        if model.base_models:
            single = len(model.base_models) == 1
            card["base_model"] = model.base_models[0] if single else list(model.base_models)
            card["base_model_relation"] = model.base_relation
        base = [{"_id": _hex(b, 24), "id": b} for b in model.base_models]
        weights = [{"parameters": {model.dtype: total}, "total": total}] if total else []
        return {
            "baseModels": {"relation": model.base_relation, "models": base} if base else None,
            "cardData": {name: value for name, value in card.items() if value is not None},
            "childrenModelCount": self._children[model.id],
            "config": {"model_type": model.org.lower()},
            "createdAt": hub_time(model.created_at),
            "disabled": False,
            "gated": model.gated,
            "gguf": {"total": 7_000_000_000, "architecture": model.org.lower()}
            if model.library_name == "gguf"
            else None,
            "lastModified": hub_time(_modified(model)),
            "library_name": model.library_name,
            "pipeline_tag": model.pipeline_tag,
            "private": False,
            "safetensors": weights[0] if weights else None,
            "sha": _hex(model.id + "@main", 40),
            "siblings": [{"rfilename": "README.md"}, {"rfilename": "config.json"}],
            "tags": self.tags[i],
            "usedStorage": 2 * (total or 0),
            "xetEnabled": True,
        }


def hub_time(time: datetime) -> str:
    """Return a time in the Hub's format: ISO 8601 with milliseconds and Z."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


def _shown_until(model: Model) -> int:
    ends = [milliseconds(end) for end in (model.deleted_at, model.private_from) if end is not None]
    return min(ends, default=2**62)


def _modified(model: Model) -> datetime:
    return model.public_at + timedelta(hours=20)


def _hex(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


def _tags(model: Model) -> list[str]:
    tags = [model.library_name, "safetensors" if model.safetensors_total else None]
    tags += [model.pipeline_tag, *model.tags]
    tags += [f"base_model:{base}" for base in model.base_models]
    if model.base_relation:
        tags += [f"base_model:{model.base_relation}:{base}" for base in model.base_models]
    tags.append(f"license:{model.license}" if model.license else None)
    # The region of the storage, not of the publisher.
    tags.append("region:us")
    return [tag for tag in tags if tag]
