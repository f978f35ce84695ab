"""Live updates: subscribers, events, and how streams end."""

import asyncio
import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.page import live_updates
from api.page.live_updates import LiveUpdates
from api.problems import ProblemError
from breakout.clickhouse.client import writer_client
from breakout.clickhouse.errors import ClickHouseUnavailableError
from breakout.settings import Settings
from tests.api import ram_world
from tests.api.conftest import serving
from tests.api.server import ApiServer

OwnServer = tuple[ApiServer, Settings]


def events_of(response: httpx.Response) -> Iterator[dict[str, Any]]:
    for line in response.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def test_change_is_sent_to_subscribers(own_server: OwnServer) -> None:
    server, settings = own_server
    with httpx.stream("GET", f"{server.url}/news", timeout=60) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        events = events_of(response)
        first = next(events)
        assert first["as_of"] == "2026-02-10T06:00:00.000Z"
        assert first["simulated"] is None
        assert first["stale_after_seconds"] > 0
        sent = datetime.fromisoformat(str(first["sent_at"]))
        assert abs((datetime.now(UTC) - sent).total_seconds()) < 60
        ram_world.load(settings, ram_world.LAST, 2)
        # Tables are written one after the other, so the last event counts.
        for second in events:
            if (
                second["as_of"] == "2026-03-01T06:00:00.000Z"
                and second["scores"] != (first["scores"])
            ):
                break


def test_update_has_dead_letters_and_heartbeats(own_server: OwnServer) -> None:
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
        found = next(events_of(response))
    assert found["dead_letters"] == 3
    parts: Any = found["parts"]
    (part,) = parts
    assert (part["part"], part["state"], part["running"]) == ("worker", "running", 1)


def test_server_stops_with_open_streams(own_server: OwnServer) -> None:
    server, _ = own_server
    with ExitStack() as stack:
        for _number in range(20):
            response = stack.enter_context(httpx.stream("GET", f"{server.url}/news", timeout=60))
            next(events_of(response))
        assert server.stop() in {0, -signal.SIGTERM}
    assert "graceful shutdown exceeded" not in server.log.read_text()


LIMIT = 3600.0


class FakeDatabase:
    """Counts its queries; sets `failed` when one fails because it is unavailable."""

    def __init__(self) -> None:
        self.queries = 0
        self.expired = 0
        self.unavailable = False
        self.failed = asyncio.Event()

    async def queued_lines(self, _sql: str, _parameters: object) -> bytes:
        self.queries += 1
        if self.unavailable:
            self.failed.set()
            raise ClickHouseUnavailableError("unavailable")
        return json.dumps({"queries": self.queries, "parts": [{"at": self.queries}]}).encode()

    def expire_state(self) -> None:
        self.expired += 1


async def test_subscribers_share_one_query(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_updates, "POLL_SECONDS", 3600.0)
    database = FakeDatabase()
    updates = LiveUpdates(database, LIMIT)  # type: ignore[arg-type]
    subscribers = [updates.subscribe() for _number in range(50)]
    for subscriber in subscribers:
        update = await anext(subscriber)
        assert update.pop("sent_at")
        assert update == {"queries": 1, "parts": [{"at": 1}], "stale_after_seconds": LIMIT}
    updates.close()
    for subscriber in subscribers:
        with pytest.raises(StopAsyncIteration):
            await anext(subscriber)
    # Subscribers request new figures, not cached ones.
    assert (database.queries, database.expired) == (1, 1)


async def test_polling_continues_after_the_database_was_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_updates, "POLL_SECONDS", 0.0)
    database = FakeDatabase()
    updates = LiveUpdates(database, LIMIT)  # type: ignore[arg-type]
    subscriber = updates.subscribe()
    first = await anext(subscriber)
    database.unavailable = True
    await database.failed.wait()
    database.unavailable = False
    async for update in subscriber:
        if update.get("queries", first["queries"]) != first["queries"]:
            break
    await subscriber.aclose()  # type: ignore[attr-defined]


async def test_subscribers_learn_that_the_database_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_updates, "POLL_SECONDS", 0.0)
    database = FakeDatabase()
    database.unavailable = True
    subscriber = LiveUpdates(database, LIMIT).subscribe()  # type: ignore[arg-type]
    assert (await anext(subscriber))["problem"] == "The database is unavailable"
    await subscriber.aclose()  # type: ignore[attr-defined]


async def test_heartbeats_do_not_expire_the_state() -> None:
    database = FakeDatabase()
    updates = LiveUpdates(database, LIMIT)  # type: ignore[arg-type]
    for at, expired in (("10:00", 1), ("10:01", 1)):
        updates._publish({"scores": 7, "parts": [{"part": "worker", "at": at}]})
        assert database.expired == expired
    updates._publish({"scores": 8, "parts": [{"part": "worker", "at": "10:01"}]})
    assert database.expired == 2


async def test_too_many_subscribers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_updates, "MAX_SUBSCRIBERS", 1)
    updates = LiveUpdates(FakeDatabase(), LIMIT)  # type: ignore[arg-type]
    with (
        updates.admit(),
        pytest.raises(ProblemError, match="Too many live subscribers") as refused,
        updates.admit(),
    ):
        pass
    assert refused.value.status == 503
    with updates.admit():
        pass


def test_pages_load_nothing_from_other_hosts(server: ApiServer) -> None:
    for path in ("/", "/models/org0/model-00", "/models/no/such"):
        headers = httpx.get(server.url + path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "script-src" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_static_files_are_not_rate_limited(world: Settings, tmp_path: Path) -> None:
    with (
        serving(tmp_path, world, BREAKOUT_API_REQUESTS_PER_MINUTE="5") as server,
        httpx.Client(base_url=server.url) as client,
    ):
        assert 429 in {client.get("/").status_code for _number in range(10)}
        for _number in range(10):
            assert client.get("/assets/style.css").status_code == 200


def test_only_assets_are_served(server: ApiServer) -> None:
    for path in ("/assets/../routes.py", "/assets/%2e%2e/routes.py", "/assets//etc/passwd"):
        assert httpx.get(server.url + path).status_code == 404


def test_vendored_libraries_are_unmodified() -> None:
    """Each has its licence, and equals what `make vendor` fetches."""
    vendor = files("api.page") / "assets" / "vendor"
    recorded = json.loads((vendor / "vendored.json").read_text())
    assert set(recorded) == {"d3", "@observablehq/plot", "swagger-ui-dist"}
    for package in recorded.values():
        for name, digest in package["files"].items():
            assert sha256((vendor / name).read_bytes()).hexdigest() == digest, name
    licences = [
        one for package in recorded.values() for one in package["files"] if "LICENSE" in one
    ]
    assert len(licences) == len(recorded)
