"""What the ledger of backfills holds for published, against what can be queried."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import clickhouse_connect
import pytest

from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings
from collectors.backfill import ledger
from collectors.backfill.ledger import Entry
from collectors.hub.counters import Counters
from collectors.publishing.slices import Scrape
from tests.support.embedded_servers import running_clickhouse

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with running_clickhouse(tmp_path / "clickhouse") as server:
        settings = Settings(clickhouse_url=f"{server.url}/breakout")
        migrate(settings)
        yield settings


def observe(settings: Settings, *models: str, origin: str = "file") -> None:
    address = settings.clickhouse
    client = clickhouse_connect.get_client(
        host=address.host, port=address.port, database=address.database
    )
    names = [
        "model_id",
        "observed_at",
        "source",
        "origin",
        "downloads_all_time",
        "state",
        "version",
    ]
    with closing(client):
        client.insert(
            "downloads_log",
            [[one, MOMENT, "huggingface", origin, 1, "first", 1] for one in models],
            names,
        )


def test_snapshots_of_same_time_are_published_once_all_models_exist(
    settings: Settings,
) -> None:
    first, second = Entry(MOMENT, 1), Entry(MOMENT, 2)
    ledger.record(settings, "huggingface", "file", [(first, 2), (second, 1)])
    # Either of the files could be the one whose rows these are.
    observe(settings, "a/one", "a/two")
    assert ledger.published(settings, "huggingface", "file") == set()
    observe(settings, "b/three")
    assert ledger.published(settings, "huggingface", "file") == {first, second}


def test_snapshot_with_young_models_is_published_once_both_origins_exist(
    settings: Settings,
) -> None:
    ledger.record(settings, "huggingface", "hub-stats", [(Entry(MOMENT), 2)])
    observe(settings, "a/old", origin="hub-stats")
    observe(settings, "b/other", origin="hub-weekly-snapshots-30d")
    assert ledger.published(settings, "huggingface", "hub-stats") == set()
    observe(settings, "a/young", origin="hub-stats-30d")
    assert ledger.published(settings, "huggingface", "hub-stats") == {Entry(MOMENT)}


def test_digest_changes_with_the_creation_time_that_makes_a_model_young() -> None:
    def digest(created_at: datetime | None, all_time: int | None = None) -> int:
        row = Counters(id="a/x", downloadsAllTime=all_time, downloads=5, createdAt=created_at)
        return ledger.digest_of(Scrape("huggingface", MOMENT, {"a/x": row}, origin="file"))

    day = timedelta(days=1)
    assert digest(None) == digest(MOMENT - 40 * day)
    assert len({digest(None), digest(MOMENT - day), digest(None, 5)}) == 3
