"""A page of a small scored world in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import clickhouse_connect
import pytest
from playwright.sync_api import Browser

from breakout.settings import Settings
from tests.api import scored
from tests.api.conftest import serving
from tests.api.server import ApiServer
from tests.breakout.cli.seed import insert
from tests.breakout.clickhouse.charts import seeds
from tests.page.browser import running_browser
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse

# Longer than shipped, so that an old answer would be noticed.
REMEMBERING = {"BREAKOUT_API_FRESH_SECONDS": "3600"}


@pytest.fixture(scope="package")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(tmp_path_factory.mktemp("clickhouse")) as server:
        yield server


@pytest.fixture(scope="package")
def world(clickhouse: ClickHouseServer) -> Settings:
    """Scores, and the charts' inference tokens, which nobody changes."""
    settings = Settings(clickhouse_url=f"{clickhouse.url}/page")
    scored.load(settings, scored.LAST, 1)
    client = clickhouse_connect.get_client(dsn=settings.clickhouse_url)
    rows = seeds.rows()
    for table in ("inference_log", "names_log"):
        insert(client, table, *rows[table])
    client.close()
    return settings


@pytest.fixture(scope="package")
def server(world: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    # So low that a page which asks too much is noticed.
    with serving(
        tmp_path_factory.mktemp("page"),
        world,
        BREAKOUT_API_REQUESTS_PER_MINUTE="2000",
        **REMEMBERING,
    ) as server:
        yield server


# By module: what drives it must not be alive when asynchronous tests run.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture
def own_server(
    clickhouse: ClickHouseServer, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[ApiServer, Settings]]:
    """The page of a database of the test's own, with the first part of the scored world."""
    settings = Settings(clickhouse_url=f"{clickhouse.url}/own_{abs(hash(request.node.name))}")
    scored.load(settings, scored.THEN, 1)
    with serving(tmp_path, settings, **REMEMBERING) as server:
        yield server, settings
