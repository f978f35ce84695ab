"""Records of a source's names: what the source says about them, and the reviewed map."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from breakout.contract.events import NameRecord
from breakout.registry.names import NameMap


class NameFacts(NamedTuple):
    """What a source says about one of its names."""

    title: str | None = None
    vendor: str | None = None
    licensed_open: bool | None = None
    """Whether its licence makes it open; the reviewed map takes precedence."""
    hint: str | None = None
    """The model's id on the Hub, unreviewed."""


def name_records(
    source: str, listed: Mapping[str, NameFacts], names: NameMap, *, observed_at: datetime
) -> list[NameRecord]:
    """Return one record a name, listed or in the reviewed map.

    The map's other names are included so that a correction also applies to names that the source
    no longer lists.
    """
    records = []
    for name in sorted(listed.keys() | names.of(source)):
        facts = listed.get(name, NameFacts())
        meaning = names.meaning(source, name)
        records.append(
            NameRecord(
                source=source,
                name=name,
                observed_at=observed_at,
                title=facts.title,
                vendor=facts.vendor,
                open=meaning.open if meaning else facts.licensed_open,
                model_id=meaning.model_id if meaning else None,
                org=names.org(source, name, facts.vendor),
                hint=facts.hint,
            )
        )
    return records
