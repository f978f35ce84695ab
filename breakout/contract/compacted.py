"""Compacted topics: Kafka retains the latest record of each key, so keys must match their records.

A tombstone, a record without a value, deletes its key from the topic. In other topics keys have no
meaning, and a record without a value is unreadable.
"""

from typing import Protocol

from breakout.contract.events import ContractError, ModelRecord, NameRecord
from breakout.contract.topics import TOPICS

COMPACTED = frozenset(topic.name for topic in TOPICS if topic.cleanup == "compact")
"""Names of the compacted topics."""

_MAX_QUOTED_BYTES = 256


class Keyed(Protocol):
    """An event of a compacted topic."""

    @property
    def key(self) -> str:
        """The key of its record."""


def has_equal_facts(one: ModelRecord | NameRecord, other: ModelRecord | NameRecord) -> bool:
    """Whether two readings of one key differ in their time at most."""
    return one == other.model_copy(update={"observed_at": one.observed_at})


def is_tombstone(topic: str, key: bytes | None, value: bytes | None) -> bool:
    """Whether a record deletes its key: no value, in a compacted topic."""
    return value is None and key is not None and topic in COMPACTED


def check_key(topic: str, key: bytes | None, event: Keyed) -> None:
    """Raise `ContractError` if the key of a record in a compacted topic is not that of its event.

    Compaction would retain it beside or instead of another record, and it may be in a partition
    that belongs to another worker.
    """
    if key != event.key.encode():
        found = "no key" if key is None else f"the key {_quoted(key)}"
        raise ContractError(
            f"the record has {found}, but its value belongs to the key {event.key!r}: {topic} is "
            "compacted, so both must be equal"
        )


def _quoted(key: bytes) -> str:
    return repr(key[:_MAX_QUOTED_BYTES].decode(errors="backslashreplace"))
