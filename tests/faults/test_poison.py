"""Unreadable records are sent to the dead-letter topic; records around them are written."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from breakout.contract import (
    DailySlice,
    DeadLetter,
    DerivativesSlice,
    Event,
    InferenceDay,
    LeaderboardSlice,
    NameRecord,
)
from breakout.contract.topics import (
    DAILY,
    DEAD_LETTERS,
    DERIVATIVES,
    DOWNLOADS,
    INFERENCE,
    LEADERBOARDS,
    MODELS,
    NAMES,
)
from streams.dead_letters import MAX_VALUE_BYTES
from tests.support.events import DAY0, model, observed, of_one_partition
from tests.support.rig import Rig

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]

PARTITION = 1
POISONED = ("poison/a", "poison/b")
SLICE = observed(POISONED, 3, [7, 8])
RECORD = model(POISONED[0])
DAILY_SLICE = DailySlice(
    size_bin="250B+",
    models=[POISONED[0]],
    registry_changed_at=[DAY0],
    known=[1],
    tracked=[True],
    released_at=[None],
    reread=[False],
    knot_at=[None],
    knot_cumulative=[None],
    row_model=[0],
    row_day=[3],
    row_cumulative=[5],
    row_downloads=[None],
    row_gap=[False],
)
NAME = NameRecord(source="poison", name="a/b", observed_at=DAY0, open=True)
TOKENS = InferenceDay(
    source="poison", day=DAY0.date(), as_of=DAY0, observed_at=DAY0, names=["a/b"], tokens=[7]
)
DERIVED = DerivativesSlice(
    source="poison",
    scrape_id="poison",
    observed_at=DAY0,
    models=["poison/a"],
    parents=[["poison/b"]],
    relation=[None],
    created_at=[None],
    downloads_all_time=[7],
    downloads_30d=[None],
)
BOARD = LeaderboardSlice(
    source="poison",
    board="text",
    published_on=DAY0.date(),
    observed_at=DAY0,
    names=["a"],
    rating=[1.5],
    lower=[None],
    upper=[None],
    votes=[None],
)


def changed(event: Event, **fields: object) -> bytes:
    """Return the event's bytes with other values."""
    return json.dumps(json.loads(event.to_bytes()) | fields).encode()


def named(event: Event) -> bool:
    return isinstance(event, NameRecord | InferenceDay | LeaderboardSlice)


def malformed(event: Event) -> dict[bytes | None, str]:
    """Return values that are unreadable on every topic, with a part of the reason."""
    return {
        b"": "not JSON",
        b"\x00\x01 no json": "not JSON",
        event.to_bytes()[:-9]: "not JSON",
        b'{"source": "\xff\xfe"}': "not JSON",
        b"[]": "record",
        changed(event, schema_version=2): "contract version 2 is newer",
        changed(event, models=7, model_id=7, names=7, name=7): "name" if named(event) else "model",
    }


FAR = (datetime.now(UTC) + timedelta(days=3)).isoformat()

POISON: dict[str, dict[bytes | None, str]] = {
    DOWNLOADS.name: {
        **malformed(SLICE),
        None: "no value",
        changed(SLICE, downloads_all_time=["7", 8]): "downloads_all_time.0",
        changed(SLICE, downloads_all_time=[7.5, 8]): "downloads_all_time.0",
        changed(SLICE, downloads_all_time=[7, -8]): "downloads_all_time.1",
        changed(SLICE, likes=[10**30, 1]): "likes.0",
        changed(SLICE, downloads_all_time=[2**63, 1]): "downloads_all_time.0",
        changed(SLICE, likes=[1]): "likes has 1 entries for 2 rows",
        changed(SLICE, models=["poison/a", "poison/a"]): "models holds an id twice",
        changed(SLICE, observed_at="2026-02-03T00:00:00"): "observed_at",
        changed(SLICE, observed_at=FAR): "more than a day ahead",
        changed(SLICE, observed_at="9999-12-31T23:59:59Z"): "not from 1970-01-01",
        changed(SLICE, observed_at="1969-12-31T23:59:59Z"): "not from 1970-01-01",
        RECORD.to_bytes(): "DownloadsSlice.source",
        changed(SLICE, source=["x" * 9_000_000]): "DownloadsSlice.source",
        changed(SLICE, source=["x" * 13_000_000]): "the first 10,000,000 are stored",
    },
    MODELS.name: {
        **malformed(RECORD),
        changed(RECORD, size_bin="huge"): "ModelRecord.size_bin",
        changed(RECORD, tracked=None): "ModelRecord.tracked",
        changed(RECORD, observed_at=FAR): "more than a day ahead",
        changed(RECORD, released_at="0001-01-01"): "ModelRecord.released_at",
        changed(RECORD, created_at="9999-12-31T00:00:00Z"): "ModelRecord.created_at",
        SLICE.to_bytes(): "ModelRecord.model_id",
        # Published with the key b"key", as all of these are.
        RECORD.to_bytes(): f"the key 'key', but its value belongs to the key '{RECORD.model_id}'",
    },
    DAILY.name: {
        **malformed(DAILY_SLICE),
        None: "no value",
        changed(DAILY_SLICE, row_model=[1]): "beyond models",
        changed(DAILY_SLICE, row_day=[65_536]): "row_day.0",
        changed(DAILY_SLICE, reread=[]): "reread has 0 entries for 1 rows",
        changed(DAILY_SLICE, knot_at=[FAR]): "more than a day ahead",
        SLICE.to_bytes(): "DailySlice.size_bin",
    },
    NAMES.name: {
        **malformed(NAME),
        changed(NAME, open="yes please"): "NameRecord.open",
        changed(NAME, model_id="no id"): "NameRecord.model_id",
        changed(NAME, observed_at=FAR): "more than a day ahead",
        NAME.to_bytes(): "the key 'key', but its value belongs to the key 'poison:a/b'",
    },
    INFERENCE.name: {
        **malformed(TOKENS),
        None: "no value",
        changed(TOKENS, tokens=["7"]): "tokens.0",
        changed(TOKENS, tokens=[7.5]): "tokens.0",
        changed(TOKENS, tokens=[-7]): "tokens.0",
        changed(TOKENS, tokens=[2**63]): "tokens.0",
        changed(TOKENS, tokens=[7, 8]): "tokens has 2 entries for 1 rows",
        changed(TOKENS, names=["a", "a"], tokens=[7, 8]): "names holds a name twice",
        changed(TOKENS, names=[], tokens=[]): "InferenceDay.names",
        changed(TOKENS, as_of=FAR): "InferenceDay.as_of",
        changed(TOKENS, as_of="2026-02-03T00:00:00"): "InferenceDay.as_of",
        changed(TOKENS, day="2150-01-01"): "InferenceDay.day",
    },
    DERIVATIVES.name: {
        **malformed(DERIVED),
        None: "no value",
        changed(DERIVED, parents=[[]] * 2): "parents has 2 entries for 1 rows",
        changed(DERIVED, parents=[["no id"]]): "parents.0.0",
        changed(DERIVED, models=list(POISONED)): "parents has 1 entries for 2 rows",
        changed(DERIVED, created_at=["9999-12-31T00:00:00Z"]): "created_at.0",
        changed(DERIVED, downloads_all_time=[-1]): "downloads_all_time.0",
        changed(DERIVED, observed_at=FAR): "more than a day ahead",
    },
    LEADERBOARDS.name: {
        **malformed(BOARD),
        None: "no value",
        changed(BOARD, rating=["high"]): "rating.0",
        changed(BOARD, rating=[1.5, 2]): "rating has 2 entries for 1 rows",
        changed(BOARD, rating=[float("nan")]): "finite number",
        changed(BOARD, votes=[1.5]): "votes.0",
        changed(BOARD, published_on="1960-01-01"): "LeaderboardSlice.published_on",
    },
}

COMPONENTS = {
    DOWNLOADS.name: "downloads",
    MODELS.name: "downloads",
    DAILY.name: "ram",
    DERIVATIVES.name: "derivatives",
}
"""Component by topic; the others are read by facts."""


def good(topic: str, number: int, partitions: int) -> list[Event]:
    """Return readable events to put between poison, all in `PARTITION`."""
    (one,) = of_one_partition(f"between-{number}", 1, partitions, PARTITION)
    if topic == MODELS.name:
        return [model(one)]
    if topic != DOWNLOADS.name:
        return []
    return [observed([one], 2 + number, [number])]


def letters(rig: Rig) -> dict[tuple[str, int | None, int | None], DeadLetter]:
    """Return all dead letters so far, by topic, partition and offset."""
    read = (DeadLetter.model_validate_json(one.value) for one in rig.consume(DEAD_LETTERS.name))
    return {(letter.topic, letter.partition, letter.offset): letter for letter in read}


def test_poison_is_sent_to_the_dead_letter_topic(rig: Rig) -> None:
    for worker in rig.running_workers():
        worker.stop()
    partitions = rig.settings.partitions
    others = letters(rig).keys()
    expected: dict[tuple[str, int, int], tuple[bytes, str]] = {}
    for topic, poison in POISON.items():
        # The first and the last record of a batch are poison.
        for number, (value, reason) in enumerate(poison.items()):
            offset = rig.publish_bytes(topic, PARTITION, value)
            expected[topic, PARTITION, offset] = (value or b"", reason)
            if topic != DAILY.name and number < len(poison) - 1:
                rig.publish(good(topic, number % 4, partitions))
    rig.start_worker(BREAKOUT_DEAD_LETTER_LIMIT="100")
    rig.verify()
    found = letters(rig)
    assert found.keys() - others == expected.keys()
    for where, (value, reason) in expected.items():
        letter = found[where]
        assert base64.b64decode(letter.value_base64) == value[:MAX_VALUE_BYTES]
        assert base64.b64decode(letter.key_base64 or "") == b"key"
        assert reason in letter.error, where
        assert letter.component == COMPONENTS.get(where[0], "facts")
