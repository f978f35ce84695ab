"""Overrides of facts of the tracked-models list and the Hub, with their reasons and sources."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from pathlib import Path

from breakout.registry import fields
from breakout.registry.fields import Region
from breakout.registry.table import FieldError, RegistryFileError, read_table

HEADER = ("model_id", "field", "value", "reason", "source")


@dataclass(frozen=True)
class Overrides:
    """Overriding values by model id."""

    total_params_b: dict[str, float] = field(default_factory=dict)
    active_params_b: dict[str, float] = field(default_factory=dict)
    region: dict[str, Region] = field(default_factory=dict)
    released_at: dict[str, date] = field(default_factory=dict)


def load_overrides(path: Path | None) -> Overrides:
    """Read the file of `BREAKOUT_OVERRIDES_FILE`, or the built-in one if `path` is None.

    Raises `RegistryFileError` if it is unreadable or any row is invalid: an override silently
    skipped would make numbers wrong.
    """
    if path is None:
        built_in = files("breakout.registry").joinpath("overrides.csv")
        return read_overrides(built_in.read_bytes(), file="overrides.csv")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RegistryFileError(
            f"BREAKOUT_OVERRIDES_FILE: cannot read {path}: {error.strerror}"
        ) from None
    return read_overrides(content, file=str(path))


def read_overrides(content: bytes, *, file: str) -> Overrides:
    """Read overrides from CSV, see `load_overrides`."""
    table = read_table(file, content, HEADER, _override, key=("model_id", "field"))
    if table.errors:
        raise RegistryFileError("; ".join(str(error) for error in table.errors))
    overrides = Overrides()
    for model_id, name, value in table.rows:
        getattr(overrides, name)[model_id] = value
    return overrides


_READERS: Mapping[str, Callable[[str, str], float | Region | date]] = {
    "total_params_b": fields.positive_decimal,
    "active_params_b": fields.positive_decimal,
    "region": fields.region,
    "released_at": fields.iso_date,
}


def _override(row: Mapping[str, str]) -> tuple[str, str, float | Region | date]:
    model_id = fields.model_id("model_id", row["model_id"])
    reader = _READERS.get(row["field"])
    if reader is None:
        raise FieldError("field", f"must be one of {', '.join(_READERS)}, got {row['field']!r}")
    value = reader("value", row["value"])
    fields.text("reason", row["reason"])
    fields.text("source", row["source"])
    return model_id, row["field"], value
