"""What names of other sources mean: the project's own reviewed map, and people's additions.

A name is classified here or nowhere: nothing is guessed from how it is spelled, or from what the
source itself says of its weights.
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
    """What a name means."""

    open: bool
    """Whether the weights can be downloaded."""
    model_id: str | None
    """The weights on the Hub; null for a closed model, or open weights that lie elsewhere."""


@dataclass(frozen=True)
class NameMap:
    """The reviewed names by (source, name), and organisations of the Hub by (source, vendor)."""

    meanings: Mapping[tuple[str, str], Meaning]
    orgs: Mapping[tuple[str, str], str]

    def meaning(self, source: str, name: str) -> Meaning | None:
        """Return what a name means, null when nobody has classified it."""
        return self.meanings.get((source, name))

    def of(self, source: str) -> set[str]:
        """Return all classified names of a source."""
        return {name for whose, name in self.meanings if whose == source}

    def org(self, source: str, name: str, vendor: str | None = None) -> str | None:
        """Return the Hub's organisation: that of the reviewed weights, else the vendor's."""
        meaning = self.meaning(source, name)
        if meaning is not None and meaning.model_id is not None:
            return meaning.model_id.partition("/")[0]
        return self.orgs.get((source, vendor)) if vendor is not None else None


def load_names(path: Path | None) -> NameMap:
    """Read the shipped map, and over it the file that `BREAKOUT_NAMES_FILE` names, if any.

    Raises `RegistryFileError` when a file cannot be read or any row is wrong: a name that was
    silently left out would be a wrong share.
    """
    shipped = files("breakout.registry")
    meanings = read_names(shipped.joinpath("names.csv").read_bytes(), file="names.csv")
    if path is not None:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise RegistryFileError(
                f"BREAKOUT_NAMES_FILE: cannot read {path}: {error.strerror}"
            ) from None
        meanings |= read_names(content, file=str(path))
    orgs = _read(
        shipped.joinpath("vendors.csv").read_bytes(), "vendors.csv", VENDORS_HEADER, _vendor
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
