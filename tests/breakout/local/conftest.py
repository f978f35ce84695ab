"""One embedded ClickHouse for all tests here; a test that kills its server starts its own."""

import uuid
from collections.abc import Iterator

import clickhouse_connect
import httpx
import pytest
from clickhouse_connect.driver.client import Client

from tests.support.embedded_servers import ClickHouseServer, running_clickhouse

ADMIN_PASSWORD = "admin's pass:word"
READER_PASSWORD = "reader's päss"


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(
        tmp_path_factory.mktemp("clickhouse"),
        admin_password=ADMIN_PASSWORD,
        reader_password=READER_PASSWORD,
    ) as server:
        yield server


@pytest.fixture
def http(server: ClickHouseServer) -> Iterator[httpx.Client]:
    """The admin over plain HTTP."""
    with httpx.Client(base_url=server.url, auth=("default", ADMIN_PASSWORD), timeout=170) as client:
        yield client


@pytest.fixture
def reader(server: ClickHouseServer) -> Iterator[httpx.Client]:
    """The reader over plain HTTP."""
    with httpx.Client(base_url=server.url, auth=("reader", READER_PASSWORD), timeout=170) as client:
        yield client


@pytest.fixture
def database(http: httpx.Client) -> Iterator[str]:
    """A database of the test's own."""
    name = f"test_{uuid.uuid4().hex}"
    http.post("/", content=f"CREATE DATABASE {name}").raise_for_status()
    yield name
    http.post("/", content=f"DROP DATABASE {name} SYNC").raise_for_status()


@pytest.fixture
def client(server: ClickHouseServer, database: str) -> Iterator[Client]:
    """The admin's clickhouse-connect client."""
    client = clickhouse_connect.get_client(
        host="127.0.0.1", port=server.port, password=ADMIN_PASSWORD, database=database
    )
    yield client
    client.close()
