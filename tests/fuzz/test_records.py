"""Records of every topic: any bytes become an event that lands, or a dead letter; never a crash."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import clickhouse_connect
import pytest
from hypothesis import strategies as st

from breakout.clickhouse.migrations import migrate
from breakout.contract import ContractError, Event, read_event
from breakout.contract.topics import (
    BREAKOUTS,
    DAILY,
    DEAD_LETTERS,
    DERIVATIVES,
    DOWNLOADS,
    INFERENCE,
    LEADERBOARDS,
    MODELS,
    NAMES,
    RUNS,
    TOPICS,
    Topic,
)
from breakout.settings import Settings, read_settings
from streams.app import PROCESSORS
from streams.batches import Batch, Record
from streams.clickhouse import WorkerClickHouse
from streams.dead_letters import send_dead_letters
from streams.outbox import Outbox
from streams.processor import Processor
from tests.fuzz.effort import efforts, explore
from tests.fuzz.mutations import mutants
from tests.support.embedded_servers import running_clickhouse

AT, DAY = "2026-08-22T06:00:00Z", "2026-08-01"

EXAMPLES: dict[Topic, list[dict[str, Any]]] = {
    MODELS: [
        {
            "schema_version": 1,
            "model_id": "a/one",
            "observed_at": AT,
            "org": "a",
            "region": "us",
            "region_source": "tracked-models",
            "total_params_b": 8.0,
            "active_params_b": 1.5,
            "size_source": "manual",
            "size_bin": "7-9B",
            "released_at": DAY,
            "released_source": "created_at",
            "created_at": AT,
            "license": "mit",
            "pipeline_tag": "text-generation",
            "base_models": ["b/two"],
            "base_relation": "finetune",
            "tracked": True,
        }
    ],
    DOWNLOADS: [
        {
            "source": "huggingface",
            "origin": "live",
            "scrape_id": "huggingface:" + at,
            "slice": 0,
            "observed_at": at,
            "complete": True,
            "models": ["a/one", "b/two", "c/three"],
            "downloads_all_time": [9007199254740993, None, 7],
            "downloads_30d": [1, 2, None],
            "likes": [0, 0, 0],
            "missing": [{"model_id": "d/four", "reason": "gone"}],
        }
        for at in (AT, "2026-08-23T06:00:00Z", "1970-01-01T00:00:00Z")
    ],
    DAILY: [
        {
            "size_bin": "7-9B",
            "models": ["a/one", "b/two"],
            "registry_changed_at": [AT, AT],
            "known": [5, 6],
            "tracked": [True, False],
            "released_at": [DAY, None],
            "reread": [False, True],
            "knot_at": [AT, None],
            "knot_cumulative": [9007199254740993, None],
            "row_model": [0, 0, 0, 1],
            "row_day": [20_000, 20_001, 20_002, 20_000],
            "row_cumulative": [1, 9223372036854775807, None, 7],
            "row_downloads": [None, 9223372036854775806, None, 0],
            "row_gap": [False, False, False, True],
        }
    ],
    BREAKOUTS: [
        {
            "baseline": "live",
            "model_id": "a/one",
            "status": "crossed",
            "crossed_at": AT,
            "age_days": 7,
            "ram": 1.25,
            "ended_at": AT,
            "confirmed_at": AT,
            "ram_capped": 1.25,
            "top_day_share": 0.25,
        }
    ],
    NAMES: [
        {
            "source": "openrouter",
            "name": "a/one",
            "observed_at": AT,
            "title": "One",
            "vendor": "a",
            "open": True,
            "model_id": "a/one",
            "org": "a",
            "hint": "a/one",
        }
    ],
    INFERENCE: [
        {
            "source": "openrouter",
            "day": DAY,
            "as_of": AT,
            "observed_at": AT,
            "names": ["a/one:free", "other"],
            "tokens": [9007199254740993, 0],
        }
    ],
    DERIVATIVES: [
        {
            "source": "huggingface",
            "scrape_id": "survey",
            "slice": 1,
            "observed_at": AT,
            "complete": False,
            "models": ["d/child", "d/grandchild"],
            "parents": [["a/one", "b/two"], ["d/child", "d/grandchild"]],
            "relation": ["merge", None],
            "created_at": [AT, None],
            "downloads_all_time": [1, None],
            "downloads_30d": [None, 2],
        }
    ],
    LEADERBOARDS: [
        {
            "source": "arena",
            "board": "text",
            "version": "",
            "published_on": DAY,
            "observed_at": AT,
            "names": ["one", "two"],
            "rating": [1500.5, -3],
            "lower": [1490.0, None],
            "upper": [1510.0, None],
            "votes": [100, None],
        }
    ],
    RUNS: [
        {
            "source": "huggingface",
            "observed_at": AT,
            "complete_at": None,
            "finished_at": AT,
            "instance": "host:1",
        }
    ],
    DEAD_LETTERS: [
        {
            "topic": "breakout.downloads",
            "partition": 1,
            "offset": 7,
            "component": "downloads",
            "error": "not JSON",
            "failed_at": AT,
            "key_base64": "a2V5",
            "value_base64": "AAE=",
        }
    ],
}
"""Valid records, by topic: what is fuzzed departs from them."""

WORKED = [topic for topic in TOPICS if topic not in (BREAKOUTS, RUNS, DEAD_LETTERS)]
"""Topics that workers read."""

Values = list[tuple[Topic, bytes]]


def read(topic: Topic, value: bytes) -> Event | None:
    """Return the event, None for what is refused with a reason."""
    try:
        return read_event(topic.event, value)
    except ContractError as refused:
        reason = str(refused)
    assert 0 < len(reason.encode()) < 2_000
    return None


@efforts
@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_any_bytes_are_an_event_that_round_trips_or_are_refused(topic: Topic, effort: int) -> None:
    def check(value: bytes) -> None:
        event = read(topic, value)
        if event is not None:
            assert read_event(topic.event, event.to_bytes()) == event

    assert all(read(topic, json.dumps(one).encode()) for one in EXAMPLES[topic])
    explore(mutants(EXAMPLES[topic]), check, examples=50, effort=effort)


class Kept:
    """A producer that keeps what it is given, as Kafka would: what comes after it can be read."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes]] = []

    async def send(self, topic: str, key: bytes, value: bytes, *_: Any) -> asyncio.Future[None]:
        assert len(key) >= 0
        self.sent.append((topic, value))
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        acknowledged.set_result(None)
        return acknowledged


class Worker:
    """All processors of a worker on a real ClickHouse; new ones know only what is in there."""

    def __init__(self, settings: Settings, clickhouse: WorkerClickHouse) -> None:
        self.kept = Kept()
        outbox = Outbox(SimpleNamespace(producer=self.kept), settings.partitions)
        self.processors: list[Processor[Any]] = [
            kind(settings, outbox, clickhouse) for kind in PROCESSORS
        ]

    async def work(self, values: Sequence[tuple[str, bytes]]) -> None:
        """Work records through, one batch a processor; what is published is worked as well."""
        for processor in reversed(self.processors):  # RAM comes last: it reads the grid
            batch: Batch[Any] = Batch()
            for number, (topic, value) in enumerate([*values, *self.kept.sent]):
                if topic in {one.name for one in processor.topics}:
                    batch.records.append(self._record(processor, topic, value, number))
            if batch.records:
                bad = [record for record in batch.records if record.error is not None]
                await send_dead_letters(processor.outbox, processor.name, bad)
                await processor.process(batch)
                await processor.writing_done()

    def _record(
        self, processor: Processor[Any], topic: str, value: bytes, number: int
    ) -> Record[Any]:
        message = SimpleNamespace(
            topic=topic, partition=0, offset=number, key=b"key", value=value, timestamp=None
        )
        source = SimpleNamespace(message=message, ack=lambda: None)
        try:
            return Record(source, processor.read(topic, value), None)
        except ContractError as error:
            return Record(source, None, error)


class Rig:
    """Workers on one ClickHouse with the schema."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clickhouse = WorkerClickHouse(settings, self._waits)
        self._client = clickhouse_connect.get_client(dsn=settings.clickhouse_url, tz_mode="aware")

    def _waits(self, why: str | None) -> None:
        raise AssertionError(f"a worker would wait for ever: {why}")

    def work(self, values: Sequence[tuple[Topic, bytes]]) -> list[tuple[str, bytes]]:
        """Work records through on empty tables, twice, as a worker does that dies before it acks.

        Returns what the second published.
        """
        for table in WRITTEN:
            self._client.command(f"TRUNCATE TABLE {table}")
        named = [(topic.name, value) for topic, value in values]
        asyncio.run(Worker(self._settings, self._clickhouse).work(named))
        again = Worker(self._settings, self._clickhouse)
        asyncio.run(again.work(named))
        return again.kept.sent

    def rows(self, table: str, columns: str) -> list[Sequence[Any]]:
        """Return the rows of a table."""
        return list(self._client.query(f"SELECT {columns} FROM {table} FINAL").result_rows)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running_clickhouse(tmp_path_factory.mktemp("clickhouse")) as server:
        settings = read_settings(clickhouse_url=f"{server.url}/breakout", partitions=1)
        migrate(settings)
        yield Rig(settings)


WRITTEN = (
    *("models_log", "downloads_log", "daily_log", "daily_superseded", "scrapes_log"),
    *("scrape_missing",),
    *("points_log", "latest_log", "baselines_log", "breakouts_log"),
    *("names_log", "inference_log", "ratings_log", "lineage_log"),
    *("derivatives_log", "derivative_listings"),
)
"""Tables that workers write."""


def batches() -> st.SearchStrategy[Values]:
    """Up to five records of any topics, most of them readable."""
    return st.lists(
        st.one_of([st.tuples(st.just(one), mutants(EXAMPLES[one], changes=2)) for one in WORKED]),
        min_size=1,
        max_size=5,
    )


COLUMNS: dict[Topic, tuple[str, str, Callable[[Any], list[tuple[Any, ...]]]]] = {
    MODELS: (
        "models_log",
        (
            "model_id, observed_at, org, region, total_params_b, active_params_b, size_bin,"
            "released_at, created_at, license, base_models, tracked"
        ),
        lambda one: [
            (
                *(one.model_id, one.observed_at, one.org, one.region, one.total_params_b),
                *(one.active_params_b, one.size_bin, one.released_at, one.created_at),
                *(one.license, one.base_models, one.tracked),
            )
        ],
    ),
    DOWNLOADS: (
        "downloads_log",
        "model_id, source, origin, observed_at, downloads_all_time, downloads_30d, likes",
        lambda one: [
            (model_id, one.source, one.origin, one.observed_at, *counts)
            for model_id, *counts in zip(
                one.models, one.downloads_all_time, one.downloads_30d, one.likes, strict=True
            )
        ],
    ),
    DAILY: (
        "latest_log",
        "model_id, released_at, tracked, observed_at, cumulative, registry_changed_at, known",
        lambda one: list(
            zip(
                *(one.models, one.released_at, one.tracked, one.knot_at),
                *(one.knot_cumulative, one.registry_changed_at, one.known),
                strict=True,
            )
        ),
    ),
    NAMES: (
        "names_log",
        "source, name, title, vendor, open, model_id, org, hint, observed_at",
        lambda one: [
            (
                *(one.source, one.name, one.title, one.vendor, one.open),
                *(one.model_id, one.org, one.hint, one.observed_at),
            )
        ],
    ),
    INFERENCE: (
        "inference_log",
        "source, day, as_of, slug, tokens",
        lambda one: [
            (one.source, one.day, one.as_of, *pair)
            for pair in zip(one.names, one.tokens, strict=True)
        ],
    ),
    DERIVATIVES: (
        "derivatives_log",
        "model_id, parents, relation, created_at, downloads_all_time, downloads_30d, observed_at",
        lambda one: [
            (*row, one.observed_at)
            for row in zip(
                *(one.models, one.parents, one.relation, one.created_at),
                *(one.downloads_all_time, one.downloads_30d),
                strict=True,
            )
        ],
    ),
    LEADERBOARDS: (
        "ratings_log",
        "source, board, index_version, published_on, observed_at, name, rating, lower, upper,votes",
        lambda one: [
            (one.source, one.board, one.version, one.published_on, one.observed_at, *row)
            for row in zip(one.names, one.rating, one.lower, one.upper, one.votes, strict=True)
        ],
    ),
}
"""The table a topic's records end up in, some of its columns, and what they must hold."""


@efforts
@pytest.mark.parametrize("topic", WORKED, ids=lambda topic: topic.name)
def test_what_is_read_is_in_clickhouse_as_it_was_said(rig: Rig, topic: Topic, effort: int) -> None:
    table, columns, rows = COLUMNS[topic]

    def check(value: bytes) -> None:
        sent = rig.work([(topic, value)])
        event = read(topic, value)
        if event is None or any(name == DEAD_LETTERS.name for name, _ in sent):
            return
        there = rig.rows(table, columns)
        assert sorted(there, key=repr) == sorted(rows(event), key=repr)

    explore(mutants(EXAMPLES[topic], changes=1), check, examples=4, effort=effort)


@efforts
def test_what_is_read_is_taken_by_clickhouse(rig: Rig, effort: int) -> None:
    def check(values: Values) -> None:
        for topic, value in rig.work(values):
            assert read_event({one.name: one for one in TOPICS}[topic].event, value)

    explore(batches(), check, examples=10, effort=effort)


def changed(topic: Topic, **fields: Any) -> tuple[Topic, bytes]:
    return topic, json.dumps(EXAMPLES[topic][0] | fields).encode()


@pytest.mark.parametrize(
    "field",
    [
        {"released_at": ["1969-12-31", None]},
        {"released_at": [None, "2149-06-07"]},
        {"registry_changed_at": ["9999-12-31T00:00:00Z", AT]},
        {"knot_at": ["1969-12-31T23:59:59Z", None]},
        {"models": ["a/one", "a/one"]},
        {"row_day": [20_000, 20_000, 20_002, 20_000]},
        {"row_day": [20_000, 65_536, 20_002, 20_000]},
    ],
    ids=str,
)
def test_daily_rows_that_cannot_be_written_are_dead_letters(
    rig: Rig, field: dict[str, Any]
) -> None:
    (letter,) = [value for name, value in rig.work([changed(DAILY, **field)])]
    assert "DailySlice." in json.loads(letter)["error"]


def test_observations_of_more_months_than_an_insert_has_partitions_land(rig: Rig) -> None:
    months = [f"{year}-{month:02}-01T00:00:00Z" for year in range(2015, 2025) for month in (1, 2)]
    months += [
        f"{year}-{month:02}-01T00:00:00Z" for year in range(1980, 2010) for month in (3, 4, 5)
    ]
    rig.work([changed(DOWNLOADS, observed_at=month) for month in months])
    assert len(rig.rows("downloads_log", "model_id")) == 3 * len(months)
