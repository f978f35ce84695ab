"""Records of a source's names: what the source says about them, and the reviewed map."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple, Self

from breakout.contract.compacted import has_equal_facts
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

    @classmethod
    def of(cls, record: NameRecord) -> Self:
        """Return what the source said when a record was made."""
        return cls(record.title, record.vendor, record.licensed_open, record.hint)


def name_records(
    source: str,
    listed: Mapping[str, NameFacts],
    names: NameMap,
    *,
    observed_at: datetime,
    known: Mapping[str, NameRecord] = MappingProxyType({}),
) -> list[NameRecord]:
    """Return one record a name, listed or in the reviewed map.

    The map's other names are included so that a correction also applies to names that the source
    no longer lists. Other `known` names, by their latest record, have one if the map has changed:
    a row that was taken out of it no longer holds.
    """
    records = []
    for name in sorted(listed.keys() | names.of(source) | known.keys()):
        before = known.get(name)
        facts = listed.get(name, NameFacts.of(before) if before else NameFacts())
        meaning = names.meaning(source, name)
        record = NameRecord(
            source=source,
            name=name,
            observed_at=observed_at,
            title=facts.title,
            vendor=facts.vendor,
            open=meaning.open if meaning else facts.licensed_open,
            model_id=meaning.model_id if meaning else None,
            org=names.org(source, name, facts.vendor),
            hint=facts.hint,
            licensed_open=facts.licensed_open,
        )
        if (
            before is None
            or name in listed
            or meaning is not None
            or not has_equal_facts(record, before)
        ):
            records.append(record)
    return records
