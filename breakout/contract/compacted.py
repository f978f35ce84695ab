"""Compacted topics: Kafka keeps the latest record of each key, so a key says what its record says.

A record without a value, a tombstone, deletes its key from the topic. In other topics a key deletes
nothing and says nothing, and a record without a value is one that nobody can read.
"""

from typing import Protocol

from breakout.contract.events import ContractError
from breakout.contract.topics import TOPICS

COMPACTED = frozenset(topic.name for topic in TOPICS if topic.cleanup == "compact")
"""Names of the compacted topics."""

_LONGEST_QUOTED = 256


class Keyed(Protocol):
    """An event of a compacted topic."""

    @property
    def key(self) -> str:
        """The key of its record."""


def is_tombstone(topic: str, key: bytes | None, value: bytes | None) -> bool:
    """Whether a record deletes its key: no value, in a compacted topic."""
    return value is None and key is not None and topic in COMPACTED


def check_key(topic: str, key: bytes | None, event: Keyed) -> None:
    """Raise `ContractError` for a record of a compacted topic whose key is not its event's.

    Compaction would keep it beside, or in place of, another's; and it may lie in a partition whose
    worker is not the one that knows of it.
    """
    if key != event.key.encode():
        found = "no key" if key is None else f"the key {_quoted(key)}"
        raise ContractError(
            f"the record has {found}, and its value is that of {event.key!r}: {topic} is "
            "compacted, so both must be the same"
        )


def _quoted(key: bytes) -> str:
    return repr(key[:_LONGEST_QUOTED].decode(errors="backslashreplace"))
