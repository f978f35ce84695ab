"""The API as a process, with a ClickHouse that holds the charts' seed data."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import clickhouse_connect
import httpx
import pytest

from breakout.clickhouse.client import writer_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings
from tests.api import ram_world
from tests.api.server import ApiServer
from tests.breakout.cli.seed import insert
from tests.breakout.clickhouse.charts import seeds
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse

MODELS, AGES = 400, 366
ROWS = MODELS * AGES
STATEMENTS = (
    (
        "INSERT INTO points_log (size_bin, age_days, model_id, cumulative, as_of, version) "
        f"SELECT '10-50B', number % {AGES}, "
        f"concat('some-organisation/model-number-', toString(intDiv(number, {AGES}))), number, "
        f"toDateTime64('2026-01-01 00:00:00', 3), 1 FROM numbers({ROWS})"
    ),
    (
        f"INSERT INTO baselines_log SELECT 'live', '10-50B', number, 10, 1000, "
        f"toDateTime64('2026-01-01 00:00:00', 3), 1 FROM numbers({AGES})"
    ),
    (
        "INSERT INTO downloads_log (model_id, observed_at, source, downloads_all_time, state, "
        "version) SELECT concat('some-organisation/model-number-', toString(number)), "
        "toDateTime64('2026-04-01 12:00:00', 3), 'huggingface', 1, 'first', 1 "
        f"FROM numbers({MODELS})"
    ),
    (
        "INSERT INTO scrapes_log (source, observed_at, scrape_id, slice, models, complete) "
        f"VALUES ('huggingface', '2026-04-01 12:00:00', 'only', 0, {MODELS}, true)"
    ),
    (
        "INSERT INTO daily_log (model_id, source, day, cumulative, basis, known_at, version) "
        f"SELECT concat('some-organisation/model-number-', toString(intDiv(number, {AGES}))), "
        f"'huggingface', toDate('2025-03-30') + number % {AGES} AS day, number, 'observed', "
        f"toDateTime64(day + 1, 3, 'UTC'), 1 FROM numbers({ROWS})"
    ),
    (
        "INSERT INTO models_log (model_id, org, size_bin, released_at, tracked, observed_at) "
        "SELECT concat('some-organisation/model-number-', toString(number)), 'some-organisation', "
        "'10-50B', '2025-03-31', true, toDateTime64('2026-01-01 00:00:00', 3) "
        f"FROM numbers({MODELS})"
    ),
)


@pytest.fixture(scope="package")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(tmp_path_factory.mktemp("clickhouse")) as server:
        yield server


@pytest.fixture(scope="package")
def world(clickhouse: ClickHouseServer) -> Settings:
    """The charts' seed data; read-only."""
    settings = Settings(clickhouse_url=f"{clickhouse.url}/breakout")
    load_seeds(settings)
    return settings


def load_seeds(settings: Settings) -> None:
    """Create the schema, and insert the charts' seed data."""
    migrate(settings)
    with closing(clickhouse_connect.get_client(dsn=settings.clickhouse_url)) as client:
        for table, rows in seeds.rows().items():
            insert(client, table, *rows)


@contextmanager
def serving(directory: Path, settings: Settings, **variables: str) -> Iterator[ApiServer]:
    """Run `breakout api` until the end of the block."""
    directory.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "CLICKHOUSE_URL": settings.clickhouse_url,
        "BREAKOUT_API_REQUESTS_PER_MINUTE": "1000000",
        "BREAKOUT_API_QUERY_SECONDS_PER_MINUTE": "1000000",
        # No answer cache: tests read what they have just written.
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
def ram_api(
    clickhouse: ClickHouseServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[httpx.Client, Settings]]:
    settings = Settings(clickhouse_url=f"{clickhouse.url}/ram")
    ram_world.load(settings, ram_world.LAST, 1)
    with (
        serving(tmp_path_factory.mktemp("ram"), settings) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        yield client, settings


@pytest.fixture(scope="package")
def large_world(clickhouse: ClickHouseServer) -> Settings:
    """A database whose RAM curves are 17 MB of CSV."""
    settings = Settings(clickhouse_url=f"{clickhouse.url}/large")
    migrate(settings)
    with closing(writer_client(settings)) as client:
        for statement in STATEMENTS:
            client.command(statement)
    return settings


@pytest.fixture(scope="package")
def large(large_world: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with serving(tmp_path_factory.mktemp("large"), large_world) as server:
        yield server
