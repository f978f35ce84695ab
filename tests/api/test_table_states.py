"""States of tables change with inserts and nothing else; a query names all tables it reads."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client

from api.database import ChangedError, Database
from api.queries import query
from api.query_tables import tables_of
from api.table_states import same
from api.token_buckets import TokenBuckets
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings
from tests.support.embedded_servers import ClickHouseServer

INSERT = (
    "INSERT INTO models_log (model_id, org, observed_at) "
    "VALUES ('org/{name}', 'org', '2026-04-01 12:00:00')"
)
COUNT = "SELECT count() AS models FROM models"


@pytest.fixture(scope="module")
def settings(clickhouse: ClickHouseServer) -> Settings:
    settings = Settings(clickhouse_url=f"{clickhouse.url}/table_states")
    migrate(settings)
    return settings


@pytest.fixture
def writer(settings: Settings) -> Iterator[Client]:
    with closing(clickhouse_connect.get_client(dsn=settings.clickhouse_url)) as client:
        yield client


@asynccontextmanager
async def connected(settings: Settings, fresh_seconds: float) -> AsyncIterator[Database]:
    database = Database(
        settings.model_copy(update={"api_fresh_seconds": fresh_seconds}), TokenBuckets()
    )
    try:
        yield database
    finally:
        await database.close()


async def test_inserts_change_a_state_and_merges_do_not(settings: Settings, writer: Client) -> None:
    async with connected(settings, 0) as database:
        writer.command(INSERT.format(name="one"))
        first = await database.state()
        writer.command(INSERT.format(name="one"))
        second = await database.state()
        assert not same(first, second, ["models_log"])
        assert same(first, second, ["heartbeats", "points_log"])
        writer.command("OPTIMIZE TABLE models_log FINAL")
        assert await database.state() == second


async def test_lines_are_cached_until_a_table_changes(settings: Settings, writer: Client) -> None:
    async with connected(settings, 3600) as database:
        before = await database.lines(COUNT, {})
        writer.command(INSERT.format(name="two"))
        assert await database.lines(COUNT, {}) == before
        database.expire_state()
        assert await database.lines(COUNT, {}) != before


async def test_lines_of_a_state_that_is_past_are_refused(
    settings: Settings, writer: Client
) -> None:
    async with connected(settings, 3600) as database:
        state = await database.state()
        writer.command(INSERT.format(name="three"))
        with pytest.raises(ChangedError):
            await database.lines_at(state, COUNT, {})
        # The change is known by now.
        assert await database.lines_at(await database.state(), COUNT, {})


def test_tables_of_a_query_are_those_behind_its_views() -> None:
    assert tables_of("SELECT * FROM ram_now") == {"latest_log", "baselines_log", "models_log"}
    assert "daily_superseded" in tables_of(query("ram"))
    assert "daily_superseded" not in tables_of(query("ram", now=True))
    assert tables_of("SELECT 'points_log' -- points_log") == frozenset()
