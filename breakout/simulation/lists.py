"""The tracked-models list in the format of its repository, from the catalog at a given time."""

import csv
import io
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time

from breakout.simulation.catalog import Catalog, Model

POLICY = r"""global:
  primary_allowed_pipeline_tags:
    - text-generation
    - image-text-to-text

  conditional_allowed_pipeline_tags:
    - any-to-any

  reject_pipeline_tags:
    - feature-extraction
    - sentence-similarity
    - text-classification
    - text-ranking

  reject_name_patterns:
    - "(?i)(guard|guardian|shield|safeguard|safety)"
    - "(?i)(classifier|detector|reranker|reward|embedding|embed)"
    - "(?i)(tokenizer|adapter|lora|checkpoint|intermediate|proxy)"
    - "(?i)(gguf|mlx|onnx|openvino|gptq|awq|bnb|bitsandbytes|prequantized)"

  official_precision_suffixes:
    - BF16
    - FP8

  primary_min_downloads: 100000

orgs: {}
"""

Rows = Iterable[tuple[object, ...]]


def models(catalog: Catalog, now: datetime, file: str) -> str:
    """Return `models.csv` or `extra_models.csv`."""
    listed = sorted(
        (m for m in _listed(catalog, now) if m.tracked_in == file), key=lambda m: m.id.lower()
    )
    rows = ((m.org, m.id.partition("/")[2], m.id) for m in listed)
    return _csv("org,model,modelId", rows)


def parameters(catalog: Catalog, now: datetime) -> str:
    """Return `metadata/model_parameters.csv`, with sizes of models with `manual_size` only."""
    rows = (
        (m.id, f"{m.total_params_b:g}", _number(m.active_params_b), _is_moe(m), "")
        for m in _listed(catalog, now)
        if m.manual_size and m.total_params_b is not None
    )
    return _csv("model_id,total_params_b,active_params_b,is_moe,notes", rows)


def regions(catalog: Catalog, _now: datetime) -> str:
    """Return `metadata/organization_regions.csv`."""
    reviewed = sorted(catalog.organisations, key=lambda o: o.name.lower())
    rows = ((o.name, o.region, o.notes) for o in reviewed if o.region is not None)
    return _csv("hf_org,region,notes", rows)


def corrections(catalog: Catalog, now: datetime) -> str:
    """Return `metadata/release_date_corrections.csv`, which starts with comment lines."""
    rows = (
        (m.id, m.created_at.date(), m.released_on, _note(m))
        for m in _listed(catalog, now)
        if m.released_on is not None and datetime.combine(m.released_on, time(), UTC) <= now
    )
    header = "model_id,hf_created_at,actual_release_date,notes"
    comments = (
        "# Manual release date corrections\n"
        "# HF created_at can differ from actual public release date\n"
        f"# Format: {header}\n"
    )
    return comments + _csv(header, rows)


FILES: dict[str, Callable[[Catalog, datetime], str]] = {
    "models.csv": lambda catalog, now: models(catalog, now, "models.csv"),
    "extra_models.csv": lambda catalog, now: models(catalog, now, "extra_models.csv"),
    "metadata/model_parameters.csv": parameters,
    "metadata/organization_regions.csv": regions,
    "metadata/release_date_corrections.csv": corrections,
    "policy/model_policy.yml": lambda _catalog, _now: POLICY,
}


def _listed(catalog: Catalog, now: datetime) -> list[Model]:
    return [m for m in catalog.models if m.tracked_in and (m.tracked_since or m.created_at) <= now]


def _csv(header: str, rows: Rows) -> str:
    text = io.StringIO()
    text.write(header + "\n")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _is_moe(model: Model) -> str:
    return "" if model.active_params_b is None else "true"


def _note(model: Model) -> str:
    days = (model.released_on - model.created_at.date()).days if model.released_on else 0
    unit = "day" if abs(days) == 1 else "days"
    return f"{days} {unit} early" if days > 0 else "official launch post"
