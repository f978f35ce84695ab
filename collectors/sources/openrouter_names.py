"""OpenRouter's catalogue: titles of its names, and hints at the weights on the Hub."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from breakout.contract.events import NameRecord
from breakout.contract.model_ids import is_model_id
from breakout.contract.names import CONTROLS
from breakout.registry.names import NameMap
from collectors.http.client import Source
from collectors.publishing.rejected_rows import RejectedRows, RowReader
from collectors.publishing.rejection_limit import RejectionStreak
from collectors.sources.fields import OptionalText
from collectors.sources.names import NameFacts, name_records

SOURCE = "openrouter"

# Neither white space nor characters of markup or quotation.
_EXCLUDED = rf"\s{CONTROLS}<>\[\]{{}}|\\`'\""
Slug = Annotated[str, Field(max_length=256, pattern=rf"^[^{_EXCLUDED}:/][^{_EXCLUDED}]*$")]
"""A name of OpenRouter, `vendor/model` or `vendor/model:variant`, or `other`."""


class CatalogueEntry(BaseModel):
    """A model of OpenRouter's catalogue; the rankings use its `canonical_slug`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    canonical_slug: Slug
    name: OptionalText = None
    hugging_face_id: str | None = None

    @property
    def hint(self) -> str | None:
        """The weights on the Hub, if the field is a model id at all."""
        hub_id = self.hugging_face_id
        return hub_id if hub_id is not None and is_model_id(hub_id) else None


def without_variant(name: str) -> str:
    """Return a name without its variant: `a/b:free` is a variant of `a/b`."""
    return name.partition(":")[0]


async def read_catalogue(source: Source) -> dict[str, CatalogueEntry]:
    """Read `/models`, by name without variant; invalid rows are logged, not dead letters.

    Raises `SourceError`, and `RejectionLimitError` for too many invalid rows.
    """
    page = await source.json("/models")
    rows = page.content.get("data") if isinstance(page.content, dict) else None
    streak = RejectionStreak(f"{SOURCE}: the catalogue", source.setting)
    reader = RowReader(CatalogueEntry, streak, RejectedRows(SOURCE, SOURCE))
    catalogue: dict[str, CatalogueEntry] = {}
    for row in rows if isinstance(rows, list) else ():
        entry = reader.read(row)
        if entry is not None:
            catalogue.setdefault(without_variant(entry.canonical_slug), entry)
    return catalogue


def openrouter_name_records(
    ranked: Iterable[str],
    catalogue: Mapping[str, CatalogueEntry],
    names: NameMap,
    *,
    observed_at: datetime,
    known: Mapping[str, NameRecord] = MappingProxyType({}),
) -> list[NameRecord]:
    """Return one record a name, without variants: ranked, in the catalogue, or in the map.

    For other `known` names see `name_records`.
    """
    facts = {}
    for name in {without_variant(one) for one in ranked} | catalogue.keys() | names.of(SOURCE):
        vendor, slash, _ = name.partition("/")
        entry = catalogue.get(name)
        facts[name] = NameFacts(
            title=entry.name if entry else None,
            vendor=vendor if slash else None,
            hint=entry.hint if entry else None,
        )
    return name_records(SOURCE, facts, names, observed_at=observed_at, known=known)
