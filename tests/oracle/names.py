"""Classified names and regions of organisations, recomputed from all records."""

from collections.abc import Iterable
from typing import Any

from breakout.contract.events import ModelRecord, NameRecord

from .inputs import Row, newest_records


def organisations(models: Iterable[ModelRecord]) -> dict[Any, Row]:
    """Rows of `organisations` by org. The newest reviewed region of its models counts."""
    newest = newest_records(models).values()
    rows: dict[Any, Row] = {}
    for org in {one.org for one in newest}:
        own = [one for one in newest if one.org == org]
        reviewed = [one for one in own if one.region is not None]
        latest = max(reviewed, key=lambda one: (one.observed_at, one.region or ""), default=None)
        rows[(org,)] = {
            "region": latest.region if latest else None,
            "models": len(own),
            "tracked": sum(one.tracked for one in own),
        }
    return rows


def names(records: Iterable[NameRecord], models: Iterable[ModelRecord]) -> dict[Any, Row]:
    """Rows of `names` by source and name: the newest record of each."""
    regions: dict[Any, Any] = {org: row["region"] for (org,), row in organisations(models).items()}
    newest: dict[tuple[str, str], NameRecord] = {}
    for record in records:
        key = (record.source, record.name)
        if key not in newest or record.observed_at > newest[key].observed_at:
            newest[key] = record
    columns = ("title", "vendor", "open", "model_id", "hint", "observed_at")
    found: dict[Any, Row] = {}
    for key, one in sorted(newest.items()):
        org = one.model_id.partition("/")[0] if one.model_id else one.org
        facts = {column: getattr(one, column) for column in columns}
        found[key] = facts | {"org": org, "region": regions.get(org) if org else None}
    return found
