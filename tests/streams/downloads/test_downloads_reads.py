"""A restarted worker loads the state that it had."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from random import Random

import pytest

from breakout.clickhouse.migrations import migrate
from breakout.contract import DownloadsSlice
from breakout.contract.topics import partition_of
from breakout.settings import Settings, read_settings
from streams.clickhouse import WorkerClickHouse
from streams.downloads import reads as downloads_reads
from streams.downloads import rows as downloads_rows
from streams.downloads.state import State
from tests.support.embedded_servers import running_clickhouse
from tests.support.slices import planned, slice_of

START = datetime(1970, 1, 1, tzinfo=UTC)
"""The earliest valid time, which differs from null."""
PARTITIONS = 3
MODELS = [f"org-{number % 3}/model-{number}" for number in range(40)]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with running_clickhouse(tmp_path_factory.mktemp("clickhouse")) as server:
        yield read_settings(clickhouse_url=f"{server.url}/breakout", partitions=PARTITIONS)


def slices(random: Random, hour: int) -> dict[int, list[DownloadsSlice]]:
    """Return random models of each source, many without a counter, some always."""
    made: dict[int, list[DownloadsSlice]] = {number: [] for number in range(PARTITIONS)}
    for source in ("huggingface", "modelscope"):
        for number, group in made.items():
            own = [one for one in MODELS if partition_of(one, PARTITIONS) == number]
            own = random.sample(own, random.randint(0, len(own)))
            totals = [
                None if one.endswith("7") or random.random() < 0.4 else random.randrange(2**60)
                for one in own
            ]
            at = START + timedelta(hours=hour)
            group.append(slice_of(own, source, at, totals, likes=hour))
    return made


def test_restored_state_equals_the_original(settings: Settings) -> None:
    migrate(settings)
    clickhouse = WorkerClickHouse(settings)
    random = Random(11)
    states = {number: State() for number in range(PARTITIONS)}

    def work(states: dict[int, State], made: dict[int, list[DownloadsSlice]]) -> list[object]:
        results = {
            number: states[number].apply(planned(states[number], group), None)
            for number, group in made.items()
        }
        parts = [(result.rows, states[number].origins) for number, result in results.items()]
        rows = downloads_rows.downloads(parts)
        clickhouse.insert("downloads_log", rows)
        scrapes = [(number, one.scrapes, one.version) for number, one in results.items()]
        key = itemgetter("model_id", "source", "observed_at")
        return [sorted(rows.to_pylist(), key=key), scrapes]

    for hour in range(12):
        work(states, slices(random, hour))
    restored = downloads_reads.load_partitions(clickhouse, range(PARTITIONS), PARTITIONS)
    assert [len(state) for state in restored.values()] == [len(state) for state in states.values()]
    later = slices(random, 12)
    assert work(restored, later) == work(states, later)
