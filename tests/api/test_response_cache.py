"""The response cache: a response is returned again until a table it was read from changes."""

from collections.abc import Mapping

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api import response_cache
from api.response_cache import ResponseCacheMiddleware, mark_cacheable
from api.table_states import ReadFrom
from breakout.clickhouse.errors import ClickHouseError


class FakeDatabase:
    """A database with a state."""

    def __init__(self) -> None:
        self.current = {"points_log": "1", "heartbeats": "1"}
        self.is_available = True

    async def state(self) -> Mapping[str, str]:
        if not self.is_available:
            raise ClickHouseError("unavailable")
        return dict(self.current)


class CountingApp:
    """Responds with the number of the request; `/private` must not be cached."""

    def __init__(self, database: FakeDatabase) -> None:
        self.database = database
        self.requests = 0
        self.status = 200

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests += 1
        scope["route"] = "the route"
        if scope["path"] != "/private":
            read_from = ReadFrom(frozenset({"points_log"}), dict(self.database.current))
            mark_cacheable(Request(scope), read_from)
        await Response(f"response {self.requests}", self.status)(scope, receive, send)


@pytest.fixture
def database() -> FakeDatabase:
    return FakeDatabase()


@pytest.fixture
def app(database: FakeDatabase) -> CountingApp:
    return CountingApp(database)


@pytest.fixture
def client(app: CountingApp, database: FakeDatabase) -> httpx.AsyncClient:
    cached = ResponseCacheMiddleware(app, database)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=httpx.ASGITransport(cached), base_url="http://api")


async def get(client: httpx.AsyncClient, path: str = "/v1/ram?x=1", **headers: str) -> str:
    return (await client.get(path, headers=headers)).text


async def test_repeated_request_gets_the_same_response(client: httpx.AsyncClient) -> None:
    assert [await get(client) for _ in range(3)] == ["response 1"] * 3
    assert await get(client, "/v1/ram?x=2") == "response 2"
    assert await get(client, accept="text/csv") == "response 3"
    assert await get(client, **{"accept-encoding": "br"}) == "response 1"


async def test_changed_table_makes_a_new_response(
    client: httpx.AsyncClient, database: FakeDatabase
) -> None:
    assert await get(client) == "response 1"
    database.current["heartbeats"] = "2"
    assert await get(client) == "response 1"
    database.current["points_log"] = "2"
    assert [await get(client) for _ in range(2)] == ["response 2"] * 2


@pytest.mark.parametrize("header", ["if-none-match", "range", "if-range"])
async def test_conditional_request_reaches_the_application(
    client: httpx.AsyncClient, header: str
) -> None:
    await get(client)
    assert await get(client, **{header: "x"}) == "response 2"


async def test_unmarked_failed_and_large_responses_are_not_cached(
    client: httpx.AsyncClient, app: CountingApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [await get(client, "/private") for _ in range(2)] == ["response 1", "response 2"]
    app.status = 404
    assert [await get(client, "/404") for _ in range(2)] == ["response 3", "response 4"]
    app.status = 200
    monkeypatch.setattr(response_cache, "MAX_BODY_BYTES", 5)
    assert [await get(client, "/large") for _ in range(2)] == ["response 5", "response 6"]


async def test_oldest_responses_are_evicted_above_the_limit(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response_cache, "MAX_BYTES", 25)
    for number in range(3):
        await get(client, f"/{number}")
    assert await get(client, "/2") == "response 3"
    assert await get(client, "/0") == "response 4"


async def test_application_responds_while_clickhouse_is_unavailable(
    client: httpx.AsyncClient, database: FakeDatabase
) -> None:
    await get(client)
    database.is_available = False
    assert await get(client) == "response 2"
