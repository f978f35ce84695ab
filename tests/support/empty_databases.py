"""Fixtures with one embedded ClickHouse per package, and a new database for each test."""

import uuid
from collections.abc import Iterator

import pytest

from breakout.settings import Settings, read_settings
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse


@pytest.fixture(scope="package")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(tmp_path_factory.mktemp("clickhouse")) as server:
        yield server


@pytest.fixture
def settings(clickhouse: ClickHouseServer) -> Settings:
    """Settings of a database that does not exist yet."""
    return read_settings(clickhouse_url=f"{clickhouse.url}/t{uuid.uuid4().hex}")
