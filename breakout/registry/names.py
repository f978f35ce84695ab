"""Classification of the names of other sources: the built-in reviewed map and the user's file.

A name is classified by these files only. Nothing is inferred from its spelling, or from what the
source itself states about the weights.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from breakout.registry import fields
from breakout.registry.table import FieldError, RegistryFileError, read_table

HEADER = ("source", "name", "open", "model_id")
VENDORS_HEADER = ("source", "vendor", "org")

ValueT = TypeVar("ValueT")

_OPEN = {"open": True, "closed": False}


@dataclass(frozen=True)
class Meaning:
    """The classification of a name."""

    open: bool
    """Whether the weights can be downloaded."""
    model_id: str | None
    """The weights on the Hub; None for a closed model, or open weights hosted elsewhere."""


@dataclass(frozen=True)
class NameMap:
    """The reviewed names by (source, name), and organisations of the Hub by (source, vendor)."""

    meanings: Mapping[tuple[str, str], Meaning]
    orgs: Mapping[tuple[str, str], str]

    def meaning(self, source: str, name: str) -> Meaning | None:
        """Return the classification of a name; None if it is not classified."""
        return self.meanings.get((source, name))

    def of(self, source: str) -> set[str]:
        """Return all classified names of a source."""
        return {name for name_source, name in self.meanings if name_source == source}

    def org(self, source: str, name: str, vendor: str | None = None) -> str | None:
        """Return the organisation on the Hub: that of the reviewed weights, else the vendor's."""
        meaning = self.meaning(source, name)
        if meaning is not None and meaning.model_id is not None:
            return meaning.model_id.partition("/")[0]
        return self.orgs.get((source, vendor)) if vendor is not None else None


def load_names(path: Path | None) -> NameMap:
    """Read the built-in map, overridden by the file of `BREAKOUT_NAMES_FILE`, if it is set.

    Raises `RegistryFileError` if a file is unreadable or any row is invalid: a name silently
    skipped would make shares wrong.
    """
    built_in = files("breakout.registry")
    meanings = read_names(built_in.joinpath("names.csv").read_bytes(), file="names.csv")
    if path is not None:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise RegistryFileError(
                f"BREAKOUT_NAMES_FILE: cannot read {path}: {error.strerror}"
            ) from None
        meanings |= read_names(content, file=str(path))
    orgs = _read(
        built_in.joinpath("vendors.csv").read_bytes(), "vendors.csv", VENDORS_HEADER, _vendor
    )
    return NameMap(meanings, dict(orgs))


def read_names(content: bytes, *, file: str) -> dict[tuple[str, str], Meaning]:
    """Read a map from CSV, see `load_names`."""
    return dict(_read(content, file, HEADER, _name))


def _read(
    content: bytes,
    file: str,
    header: tuple[str, ...],
    parse: Callable[[dict[str, str]], tuple[tuple[str, str], ValueT]],
) -> tuple[tuple[tuple[str, str], ValueT], ...]:
    table = read_table(file, content, header, parse, key=header[:2])
    if table.errors:
        raise RegistryFileError("; ".join(str(error) for error in table.errors))
    return table.rows


def _name(row: Mapping[str, str]) -> tuple[tuple[str, str], Meaning]:
    source, name = fields.name("source", row["source"]), fields.name("name", row["name"])
    if row["open"] not in _OPEN:
        raise FieldError("open", f"must be open or closed, got {row['open']!r}")
    is_open = _OPEN[row["open"]]
    if not row["model_id"]:
        return (source, name), Meaning(is_open, None)
    if not is_open:
        raise FieldError("model_id", "must be empty for a closed model")
    return (source, name), Meaning(is_open, fields.model_id("model_id", row["model_id"]))


def _vendor(row: Mapping[str, str]) -> tuple[tuple[str, str], str]:
    source, vendor = fields.name("source", row["source"]), fields.name("vendor", row["vendor"])
    return (source, vendor), fields.organisation("org", row["org"])
