"""Embedded servers for the command line's tests; every test has a database of its own."""

import os
import subprocess
import uuid
from collections.abc import Callable, Iterator

import pytest

from breakout.settings import Settings, read_settings
from tests.cli.forked import run_breakout
from tests.embedded_servers import ClickHouseServer, running_broker, running_clickhouse
from tests.server_process import Broker

Breakout = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="package")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(tmp_path_factory.mktemp("clickhouse")) as server:
        yield server


@pytest.fixture(scope="package")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("broker")) as server:
        yield server


@pytest.fixture
def settings(clickhouse: ClickHouseServer) -> Settings:
    """A database of its own, not yet made."""
    return read_settings(clickhouse_url=f"{clickhouse.url}/t{uuid.uuid4().hex}")


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    return {
        **os.environ,
        "CLICKHOUSE_URL": settings.clickhouse_url,
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "COLUMNS": "120",
    }


@pytest.fixture
def breakout(environment: dict[str, str]) -> Breakout:
    """Run the command line in a process of its own."""

    def run(
        *arguments: str, timeout: float = 120, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        return run_breakout(list(arguments), {**environment, **variables}, timeout)

    return run
