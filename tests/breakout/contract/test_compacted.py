"""Keys and tombstones of compacted topics."""

from datetime import UTC, datetime

import pytest

from breakout.contract import ContractError, NameRecord, RunRecord
from breakout.contract.compacted import COMPACTED, check_key, is_tombstone
from breakout.contract.topics import MODELS, NAMES, RUNS, TOPICS
from tests.support.events import model

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_compacted_topics_are_those_that_keep_the_latest_of_each_key() -> None:
    assert {MODELS.name, NAMES.name, RUNS.name} == COMPACTED


@pytest.mark.parametrize("topic", [topic.name for topic in TOPICS])
def test_record_without_a_value_deletes_its_key_in_compacted_topics_only(topic: str) -> None:
    assert is_tombstone(topic, b"a/b", None) is (topic in COMPACTED)
    assert not is_tombstone(topic, b"a/b", b"")
    assert not is_tombstone(topic, None, None)


@pytest.mark.parametrize(
    ("topic", "event", "key"),
    [
        (MODELS.name, model("a/b"), b"a/b"),
        (NAMES.name, NameRecord(source="s", name="n:é", observed_at=NOW, open=None), "s:n:é"),
        (
            RUNS.name,
            RunRecord(
                source="s", observed_at=NOW, complete_at=None, finished_at=NOW, instance="h:1"
            ),
            b"s",
        ),
    ],
)
def test_key_is_what_the_event_is_of(topic: str, event: object, key: bytes | str) -> None:
    own = key.encode() if isinstance(key, str) else key
    check_key(topic, own, event)  # type: ignore[arg-type]
    for other, found in ((None, "no key"), (b"x", "the key 'x'"), (b"\xff", "the key '")):
        with pytest.raises(ContractError, match=found):
            check_key(topic, other, event)  # type: ignore[arg-type]
