"""Embedded servers for the command line's tests; every test has a database of its own."""

import os
import subprocess
from collections.abc import Callable, Iterator

import pytest

from breakout.settings import Settings
from tests.breakout.cli.forked import run_breakout
from tests.support.brokers import running_broker
from tests.support.empty_databases import clickhouse, settings
from tests.support.server_process import Broker

__all__ = ["breakout", "broker", "clickhouse", "environment", "settings"]

Breakout = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="package")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("broker")) as server:
        yield server


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
