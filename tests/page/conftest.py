"""The page in a real browser, with seed data that have RAM."""

from collections.abc import Iterator
from pathlib import Path

import clickhouse_connect
import pytest
from playwright.sync_api import Browser

from breakout.settings import Settings
from tests.api import ram_world
from tests.api.conftest import serving
from tests.api.server import ApiServer
from tests.breakout.cli.seed import insert
from tests.breakout.clickhouse.charts import seeds
from tests.page import model_world
from tests.page.browser import running_browser
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse

# Far above the default, so that tests notice a stale answer.
CACHED = {"BREAKOUT_API_FRESH_SECONDS": "3600"}


@pytest.fixture(scope="package")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(tmp_path_factory.mktemp("clickhouse")) as server:
        yield server


@pytest.fixture(scope="package")
def world(clickhouse: ClickHouseServer) -> Settings:
    """Data with RAM, the charts' inference tokens, and every signal of one model; read-only."""
    settings = Settings(clickhouse_url=f"{clickhouse.url}/page")
    ram_world.load(settings, ram_world.LAST, 1)
    client = clickhouse_connect.get_client(dsn=settings.clickhouse_url)
    rows = seeds.rows()
    for table in ("inference_log", "names_log"):
        insert(client, table, *rows[table])
    client.close()
    model_world.load(settings)
    return settings


@pytest.fixture(scope="package")
def server(world: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    # So low that tests notice a page with too many requests.
    with serving(
        tmp_path_factory.mktemp("page"), world, BREAKOUT_API_REQUESTS_PER_MINUTE="2000", **CACHED
    ) as server:
        yield server


# By module: Playwright's event loop must not be alive when asynchronous tests run.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture
def own_server(
    clickhouse: ClickHouseServer, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[ApiServer, Settings]]:
    """A page with the test's own database, which has the first part of the data."""
    settings = Settings(clickhouse_url=f"{clickhouse.url}/own_{abs(hash(request.node.name))}")
    ram_world.load(settings, ram_world.THEN, 1)
    with serving(tmp_path, settings, **CACHED) as server:
        yield server, settings
