"""The API as it runs: a uvicorn of its own on a ClickHouse that holds the charts' small world."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import clickhouse_connect
import httpx
import pytest

from breakout.migrations import migrate
from breakout.settings import Settings
from tests.api import scored
from tests.api.server import ApiServer
from tests.charts import seeds
from tests.cli.seed import insert
from tests.embedded_servers import ClickHouseServer, running_clickhouse


@pytest.fixture(scope="package")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(tmp_path_factory.mktemp("clickhouse")) as server:
        yield server


@pytest.fixture(scope="package")
def world(clickhouse: ClickHouseServer) -> Settings:
    """The charts' world, which nobody changes."""
    settings = Settings(clickhouse_url=f"{clickhouse.url}/breakout")
    migrate(settings)
    client = clickhouse_connect.get_client(dsn=settings.clickhouse_url)
    for table, rows in seeds.rows().items():
        insert(client, table, *rows)
    client.close()
    return settings


@contextmanager
def serving(directory: Path, settings: Settings, **variables: str) -> Iterator[ApiServer]:
    """Run `breakout api` until the end of the block."""
    directory.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "CLICKHOUSE_URL": settings.clickhouse_url,
        "BREAKOUT_API_RATE": "1000000",
        # What a test writes it reads at once.
        "BREAKOUT_API_FRESH_SECONDS": "0",
        **variables,
    }
    server = ApiServer(directory / "api.log", environment)
    server.start()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="package")
def server(world: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with serving(tmp_path_factory.mktemp("api"), world) as server:
        yield server


@pytest.fixture(scope="package")
def api(server: ApiServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="package")
def scored_api(
    clickhouse: ClickHouseServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[httpx.Client, Settings]]:
    settings = Settings(clickhouse_url=f"{clickhouse.url}/scored")
    scored.load(settings, scored.LAST, 1)
    with (
        serving(tmp_path_factory.mktemp("scored"), settings) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        yield client, settings
