"""One embedded ClickHouse for all foreign clients, with a database for each; and an API."""

import subprocess
import uuid
from collections.abc import Iterator
from typing import NamedTuple

import httpx
import pytest

from breakout.settings import Settings
from tests.api.conftest import load_seeds, serving
from tests.api.server import ApiServer
from tests.foreign_clients import kinds
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse
from tests.support.waiting import wait_until

ADMIN_PASSWORD = "admin's pass"
READER_PASSWORD = "reader's pass"
_RUN_SECONDS = 120.0


class Place(NamedTuple):
    """Where a client works: a database with the tables of `kinds`."""

    server: ClickHouseServer
    http: httpx.Client
    database: str

    def ask(self, query: str) -> str:
        answer = self.http.post("/", content=query, params={"database": self.database})
        assert answer.status_code == 200, answer.text
        return answer.text

    def run(self, command: list[str], address: str) -> str:
        """What a client's program says."""
        arguments = [address, "default", ADMIN_PASSWORD, self.database, "reader", READER_PASSWORD]
        ran = subprocess.run(
            [*command, *arguments],
            capture_output=True,
            text=True,
            timeout=_RUN_SECONDS,
            check=False,
        )
        assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    def wait_until_nothing_runs(self) -> None:
        """Wait until the server has noticed that a client is gone."""
        others = "SELECT count() FROM system.processes WHERE query NOT LIKE '%system.processes%'"
        wait_until("what the client left ends", lambda: self.ask(others) == "0\n")


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(
        tmp_path_factory.mktemp("clickhouse"),
        admin_password=ADMIN_PASSWORD,
        reader_password=READER_PASSWORD,
    ) as server:
        yield server


@pytest.fixture(scope="module")
def place(server: ClickHouseServer) -> Iterator[Place]:
    database = f"test_{uuid.uuid4().hex}"
    with httpx.Client(base_url=server.url, auth=("default", ADMIN_PASSWORD), timeout=60) as http:
        http.post("/", content=f"CREATE DATABASE {database}").raise_for_status()
        kinds.make(http, database)
        yield Place(server, http, database)


@pytest.fixture(scope="package")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    folder = tmp_path_factory.mktemp("api")
    with running_clickhouse(folder) as clickhouse:
        settings = Settings(clickhouse_url=f"{clickhouse.url}/breakout")
        load_seeds(settings)
        with serving(folder, settings) as server:
            yield server
