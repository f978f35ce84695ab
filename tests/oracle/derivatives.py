"""Derivatives and their lineage, recomputed from all surveys, by reachability."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from breakout.contract.events import DerivativesSlice, ModelRecord

from .inputs import Row, newest_records

RELATIONS = ("quantized", "finetune", "adapter", "merge")


def observed(slices: Iterable[DerivativesSlice]) -> dict[Any, Row]:
    """Return the newest observation of every derivative, by source and model."""
    newest: dict[Any, Row] = {}
    for one in slices:
        for number, model_id in enumerate(one.models):
            row = {
                "observed_at": one.observed_at,
                "parents": one.parents[number],
                "relation": one.relation[number],
                "created_at": one.created_at[number],
                "downloads_all_time": one.downloads_all_time[number],
                "downloads_30d": one.downloads_30d[number],
            }
            known = newest.get((one.source, model_id))
            if known is None or row["observed_at"] > known["observed_at"]:
                newest[one.source, model_id] = row
    return newest


def _generations(parents: Mapping[str, list[str]], model_id: str) -> dict[str, int]:
    """Return the depth of every ancestor; in a cycle the model is its own ancestor."""
    depths: dict[str, int] = {}
    generation, depth = set(parents.get(model_id, ())), 1
    while generation:
        depths |= dict.fromkeys(generation, depth)
        generation = {p for one in generation for p in parents.get(one, ())} - depths.keys()
        depth += 1
    return depths


def derivatives(
    slices: Iterable[DerivativesSlice], models: Iterable[ModelRecord]
) -> dict[Any, Row]:
    """Rows of `derivatives` by source and model."""
    slices = list(slices)
    newest = observed(slices)
    listed: dict[Any, Any] = {}
    for one in slices:
        for base in one.bases:
            key = (one.source, base)
            listed[key] = max(one.observed_at, listed.get(key, one.observed_at))
    tracked = {one.model_id for one in newest_records(models).values() if one.tracked}
    found: dict[Any, Row] = {}
    for source in {source for source, _ in newest}:
        parents = {m: list(row["parents"]) for (s, m), row in newest.items() if s == source}
        above = {
            m: _generations(parents, m)
            for m in {*parents, *(p for some in parents.values() for p in some)}
        }
        for model_id in parents:
            depths = above[model_id]
            ancestors = sorted(depths.keys() - {model_id}, key=lambda one: (depths[one], one))
            roots = set()
            for one in {model_id, *depths} if depths else ():
                cycle = {one} | {other for other in above[one] if one in above[other]}
                if above[one].keys() <= cycle:
                    roots.add(min(cycle))
            bases = [one for one in ancestors if one in tracked]
            nearest = [
                one
                for one in bases
                if not any(one in above[other] for other in bases if other != one)
            ]
            bases = nearest or bases
            row = newest[source, model_id]
            if any(
                listed.get((source, one), row["observed_at"]) > row["observed_at"]
                for one in row["parents"]
            ):
                continue
            by = [one for one in sorted(roots) if one in tracked] or bases
            found[source, model_id] = row | {
                "org": model_id.partition("/")[0],
                "relation": row["relation"] or "unknown",
                "ancestors": ancestors,
                "depths": [depths[one] for one in ancestors],
                "roots": sorted(roots),
                "bases": bases,
                "base_orgs": sorted({one.partition("/")[0] for one in by}),
                "tracked": model_id in tracked,
                "counted": model_id not in tracked
                and bool(bases)
                and (row["downloads_all_time"] or 0) > 5,
            }
    return found


def derivatives_monthly(rows: Mapping[Any, Row], regions: Mapping[Any, Row]) -> dict[Any, Row]:
    """Rows of `derivatives_monthly` by source, month, base_org and relation."""
    born: dict[Any, list[date]] = defaultdict(list)
    for (source, _), row in rows.items():
        if row["counted"] and row["created_at"] is not None:
            for org in row["base_orgs"]:
                born[source, org, row["relation"]].append(row["created_at"].date().replace(day=1))
    months = [month for some in born.values() for month in some]
    found: dict[Any, Row] = {}
    for (source, org, relation), own in born.items():
        month = min(months)
        while month <= max(months):
            found[source, month, org, relation] = {
                "region": regions.get((org,), {}).get("region"),
                "new": own.count(month),
                "cumulative": sum(one <= month for one in own),
            }
            month = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return found


def families(
    rows: Mapping[Any, Row], models: Iterable[ModelRecord], own: Mapping[str, int]
) -> dict[Any, Row]:
    """Rows of `families` by model; `own` are clean cumulative downloads of the Hub."""
    found: dict[Any, Row] = {}
    for model in newest_records(models).values():
        if not model.tracked:
            continue
        sums = dict.fromkeys((*RELATIONS, "unknown"), 0)
        members = [
            row
            for (source, _), row in rows.items()
            if source == "huggingface" and row["counted"] and model.model_id in row["bases"]
        ]
        for row in members:
            relation = row["relation"] if row["relation"] in RELATIONS else "unknown"
            sums[relation] += row["downloads_all_time"]
        downloads = own.get(model.model_id)
        found[(model.model_id,)] = {
            "own_downloads": downloads,
            "derivatives": len(members),
            **{f"{relation}_downloads": count for relation, count in sums.items()},
            "family_downloads": None if downloads is None else downloads + sum(sums.values()),
            "as_of": max((row["observed_at"] for row in members), default=None),
        }
    return found
