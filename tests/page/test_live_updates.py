"""Server-sent events: who reads along, what is told, and how it ends."""

import asyncio
import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.page import live_updates as news
from api.page.live_updates import News
from api.problems import ProblemError
from breakout.clickhouse.client import writer_client
from breakout.clickhouse.errors import ClickHouseUnavailableError
from breakout.settings import Settings
from tests.api import scored
from tests.api.conftest import serving
from tests.api.server import ApiServer

OwnServer = tuple[ApiServer, Settings]


def told(response: httpx.Response) -> Iterator[dict[str, object]]:
    for line in response.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def test_news_are_told_when_they_come(own_server: OwnServer) -> None:
    server, settings = own_server
    with httpx.stream("GET", f"{server.url}/news", timeout=60) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        events = told(response)
        first = next(events)
        assert first["as_of"] == "2026-02-10T06:00:00.000Z"
        assert first["simulated"] is False
        scored.load(settings, scored.LAST, 2)
        # Tables are written one after the other; the last word is of all.
        for second in events:
            if (
                second["as_of"] == "2026-03-01T06:00:00.000Z"
                and second["scores"] != (first["scores"])
            ):
                break


def test_dead_letters_and_signs_of_life_are_news(own_server: OwnServer) -> None:
    server, settings = own_server
    with closing(writer_client(settings)) as client:
        client.command(
            "INSERT INTO dead_letters SELECT 'breakout.downloads', 0, number, 'downloads', 'x', "
            "now64(3) FROM numbers(3)"
        )
        client.command(
            "INSERT INTO heartbeats SELECT 'worker', toString(number), now64(3) - 3600 * number, "
            "60, 'running', NULL, NULL, NULL FROM numbers(2)"
        )
    with httpx.stream("GET", f"{server.url}/news", timeout=60) as response:
        found = next(told(response))
    assert found["dead_letters"] == 3
    parts: Any = found["parts"]
    (part,) = parts
    assert (part["part"], part["state"], part["running"]) == ("worker", "running", 1)


def test_the_server_ends_though_people_read_along(own_server: OwnServer) -> None:
    server, _ = own_server
    with ExitStack() as stack:
        for _number in range(20):
            response = stack.enter_context(httpx.stream("GET", f"{server.url}/news", timeout=60))
            next(told(response))
        assert server.stop() in {0, -signal.SIGTERM}
    assert "graceful shutdown exceeded" not in server.log.read_text()


class FakeDatabase:
    """Counts what it is asked; says so when it was asked while it is away."""

    def __init__(self) -> None:
        self.asked = 0
        self.forgotten = 0
        self.away = False
        self.missed = asyncio.Event()

    async def lines_now(self, _sql: str, _parameters: object) -> bytes:
        self.asked += 1
        if self.away:
            self.missed.set()
            raise ClickHouseUnavailableError("away")
        return json.dumps({"asked": self.asked}).encode()

    def forget(self) -> None:
        self.forgotten += 1


async def test_many_readers_cost_one_query(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "LOOK_SECONDS", 3600.0)
    database = FakeDatabase()
    told_by = News(database)  # type: ignore[arg-type]
    readers = [told_by.follow() for _number in range(50)]
    for reader in readers:
        assert await anext(reader) == {"asked": 1}
    told_by.close()
    for reader in readers:
        with pytest.raises(StopAsyncIteration):
            await anext(reader)
    # What was answered before is not given to who asks because of it.
    assert (database.asked, database.forgotten) == (1, 1)


async def test_it_looks_again_after_the_database_was_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(news, "LOOK_SECONDS", 0.0)
    database = FakeDatabase()
    told_by = News(database)  # type: ignore[arg-type]
    reader = told_by.follow()
    first = await anext(reader)
    database.away = True
    await database.missed.wait()
    database.away = False
    assert (await anext(reader))["asked"] != first["asked"]
    await reader.aclose()  # type: ignore[attr-defined]


async def test_too_many_readers_are_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "MOST_READERS", 1)
    told_by = News(FakeDatabase())  # type: ignore[arg-type]
    with (
        told_by.place(),
        pytest.raises(ProblemError, match="Too many live subscribers") as refused,
        told_by.place(),
    ):
        pass
    assert refused.value.status == 503
    with told_by.place():
        pass


def test_pages_allow_nothing_from_elsewhere(server: ApiServer) -> None:
    for path in ("/", "/models/org0/model-00", "/models/no/such"):
        headers = httpx.get(server.url + path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "script-src" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_files_are_not_counted_against_the_rate(world: Settings, tmp_path: Path) -> None:
    with (
        serving(tmp_path, world, BREAKOUT_API_REQUESTS_PER_MINUTE="5") as server,
        httpx.Client(base_url=server.url) as client,
    ):
        assert 429 in {client.get("/").status_code for _number in range(10)}
        for _number in range(10):
            assert client.get("/assets/style.css").status_code == 200


def test_nothing_lies_beside_the_files(server: ApiServer) -> None:
    for path in ("/assets/../routes.py", "/assets/%2e%2e/routes.py", "/assets//etc/passwd"):
        assert httpx.get(server.url + path).status_code == 404


def test_charting_libraries_are_as_published() -> None:
    """Each with its licence, and byte for byte what `make vendor` fetches."""
    vendor = files("api.page") / "assets" / "vendor"
    recorded = json.loads((vendor / "vendored.json").read_text())
    assert set(recorded) == {"d3", "@observablehq/plot"}
    for package in recorded.values():
        for name, digest in package["files"].items():
            assert sha256((vendor / name).read_bytes()).hexdigest() == digest, name
    licences = [
        one for package in recorded.values() for one in package["files"] if "LICENSE" in one
    ]
    assert len(licences) == len(recorded)
