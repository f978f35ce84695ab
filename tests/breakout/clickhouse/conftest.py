"""One embedded ClickHouse for the module; every test has a database of its own."""

import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from breakout.clickhouse.client import migration_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings, read_settings
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(
        tmp_path_factory.mktemp("clickhouse"), admin_password="s3cret pass", reader_password="r"
    ) as server:
        yield server


@pytest.fixture
def settings(server: ClickHouseServer) -> Settings:
    return read_settings(
        clickhouse_url=f"{server.url}/t{uuid.uuid4().hex}", clickhouse_password="s3cret pass"
    )


@pytest.fixture
def client(settings: Settings) -> Iterator[Client]:
    """A client of an empty database, with tables and views."""
    migrate(settings)
    with closing(migration_client(settings)) as client:
        client.database = settings.clickhouse.database
        yield client


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "sql"
    folder.mkdir()
    (folder / "0001_first.sql").write_text(
        "CREATE TABLE a (x UInt8) ENGINE = MergeTree ORDER BY x;"
    )
    (folder / "0002_second.sql").write_text(
        "CREATE TABLE b (x UInt8) ENGINE = MergeTree ORDER BY x;\n"
        "CREATE MATERIALIZED VIEW c TO a AS SELECT x FROM b;"
    )
    return folder
