"""Signs of life in ClickHouse, and the component's indifference to them."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from breakout.clickhouse.client import reader_client
from breakout.clickhouse.migrations import migrate
from breakout.observability.heartbeat import Heartbeat
from breakout.settings import Settings, read_settings
from tests.support.embedded_servers import running_clickhouse
from tests.support.server_process import free_port


def eventually(check: Callable[[], Any], seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = check()
        if answer:
            return answer
        time.sleep(0.02)
    raise TimeoutError("not within the deadline")


def beats(settings: Settings) -> list[dict[str, Any]]:
    rows = reader_client(settings).query("SELECT * FROM heartbeats FINAL ORDER BY component")
    return list(rows.named_results())


def heartbeat_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "heartbeat"]


@pytest.fixture
def migrated(settings: Settings) -> Settings:
    migrate(settings)
    return settings


def test_says_how_the_component_is(migrated: Settings) -> None:
    with Heartbeat(
        migrated, "collector:test", metrics_address="http://127.0.0.1:1/metrics"
    ) as heart:
        (row,) = eventually(lambda: beats(migrated))
        assert row["component"] == "collector:test"
        assert row["state"] == "running"
        assert row["interval_seconds"] == 10
        assert row["metrics_address"] == "http://127.0.0.1:1/metrics"
        assert row["last_error"] is None
        assert row["last_error_at"] is None
        heart.beat("waiting")
        eventually(lambda: beats(migrated)[0]["state"] == "waiting")
    (row,) = beats(migrated)
    assert row["state"] == "stopped"
    assert heartbeat_threads() == []


def test_beats_by_itself(migrated: Settings) -> None:
    with Heartbeat(migrated, "worker", interval_seconds=0.05):
        first = eventually(lambda: beats(migrated))[0]["at"]
        eventually(lambda: beats(migrated)[0]["at"] > first)


def test_remembers_the_latest_error_without_secrets(migrated: Settings) -> None:
    settings = read_settings(clickhouse_url=migrated.clickhouse_url, hf_token="hf_topsecret")
    with Heartbeat(settings, "collector:test") as heart:
        heart.failed(RuntimeError("no answer to hf_topsecret\nfrom the Hub"))
        (row,) = eventually(lambda: [b for b in beats(migrated) if b["last_error"]])
        assert row["last_error"] == "RuntimeError: no answer to *** from the Hub"
        assert row["last_error_at"] is not None


def test_the_error_that_ends_the_component_is_kept(migrated: Settings) -> None:
    with pytest.raises(ValueError, match="broken"), Heartbeat(migrated, "worker"):
        raise ValueError("broken")
    (row,) = beats(migrated)
    assert (row["state"], row["last_error"]) == ("stopped", "ValueError: broken")


def test_a_clickhouse_that_is_away_costs_nothing_but_heartbeats() -> None:
    away = read_settings(clickhouse_url=f"http://127.0.0.1:{free_port()}/breakout")
    with Heartbeat(away, "worker", interval_seconds=0.01) as heart:
        heart.beat("waiting")
        heart.failed("anything")
    assert heartbeat_threads() == []


def test_a_database_without_the_table_costs_nothing_either(settings: Settings) -> None:
    with Heartbeat(settings, "worker", interval_seconds=0.01):
        pass
    assert heartbeat_threads() == []


def test_comes_back_with_clickhouse(tmp_path: Path) -> None:
    with running_clickhouse(tmp_path) as server:
        settings = read_settings(clickhouse_url=f"{server.url}/breakout")
        migrate(settings)
        with Heartbeat(settings, "worker", interval_seconds=0.1) as heart:
            eventually(lambda: beats(settings))
            server.kill()
            heart.beat("waiting")
            server.start()
            eventually(lambda: beats(settings)[0]["state"] == "waiting")
