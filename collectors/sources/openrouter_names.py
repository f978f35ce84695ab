"""What OpenRouter's names are called, and what the project's reviewed map says they are."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from breakout.contract.events import NameRecord
from breakout.contract.model_ids import is_model_id
from breakout.contract.names import CONTROLS
from breakout.registry.names import NameMap
from collectors.http.client import Source
from collectors.publishing.rejected_rows import explain
from collectors.publishing.rejection_limit import Streak
from collectors.sources.fields import Stated

log = structlog.get_logger(__name__)

SOURCE = "openrouter"

# Neither blanks nor what is markup or a quotation somewhere.
_NEVER = rf"\s{CONTROLS}<>\[\]{{}}|\\`'\""
Slug = Annotated[str, Field(max_length=256, pattern=rf"^[^{_NEVER}:/][^{_NEVER}]*$")]
"""A name of OpenRouter, `vendor/model` or `vendor/model:variant`, or `other`."""


class Listed(BaseModel):
    """A model of OpenRouter's catalogue; `canonical_slug` is what the rankings count by."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    canonical_slug: Slug
    name: Stated = None
    hugging_face_id: str | None = None

    @property
    def hint(self) -> str | None:
        """The weights on the Hub as OpenRouter says, if it is a model's id at all."""
        told = self.hugging_face_id
        return told if told is not None and is_model_id(told) else None


def base_of(name: str) -> str:
    """Return a name without its variant: `a/b:free` is a variant of `a/b`."""
    return name.partition(":")[0]


async def read_catalogue(source: Source) -> dict[str, Listed]:
    """Read `/models`, by name without variant; rows that cannot be read are logged.

    Nothing is counted by them, so no row is worth a dead letter. Raises `SourceError`, and
    `GivenUpError` for too many such rows.
    """
    answer = await source.json("/models")
    rows = answer.content.get("data") if isinstance(answer.content, dict) else None
    catalogue: dict[str, Listed] = {}
    streak = Streak(f"{SOURCE}: the catalogue", source.setting)
    for row in rows if isinstance(rows, list) else ():
        try:
            listed = Listed.model_validate(row)
        except ValidationError as error:
            why = explain(error)
            log.warning("row of OpenRouter's catalogue left out", why=why)
            streak.bad(why)
            continue
        streak.good()
        catalogue.setdefault(base_of(listed.canonical_slug), listed)
    return catalogue


def name_records(
    counted: Iterable[str],
    catalogue: Mapping[str, Listed],
    names: NameMap,
    *,
    observed_at: datetime,
) -> list[NameRecord]:
    """Return one record a name, without variants: counted, in the catalogue, or in the map."""
    records = []
    # Every name of the map, so that a correction reaches what is no longer ranked.
    for name in sorted({base_of(one) for one in counted} | catalogue.keys() | names.of(SOURCE)):
        vendor, slash, _ = name.partition("/")
        meaning = names.meaning(SOURCE, name)
        listed = catalogue.get(name)
        records.append(
            NameRecord(
                source=SOURCE,
                name=name,
                observed_at=observed_at,
                title=listed.name if listed else None,
                vendor=vendor if slash else None,
                open=meaning.open if meaning else None,
                model_id=meaning.model_id if meaning else None,
                org=names.org(SOURCE, name, vendor),
                hint=listed.hint if listed else None,
            )
        )
    return records
