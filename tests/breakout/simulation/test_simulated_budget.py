"""The request budget and tokens of the simulated Hub."""

import re

import httpx
import pytest

from breakout.simulation import Limits, SimulatedClock, SimulatedHub
from breakout.simulation.budget import Budget
from tests.breakout.simulation.conftest import NOW, small_catalog

# As huggingface_hub reads it.
RATE_LIMIT = re.compile(r'"(\w+)"\s*;\s*r\s*=\s*(\d+)\s*;\s*t\s*=\s*(\d+)')


def left(answer: httpx.Response) -> int:
    found = RATE_LIMIT.search(answer.headers["RateLimit"])
    assert found is not None
    assert found[1] == "api"
    return int(found[2])


def test_a_window_is_spent_and_renewed() -> None:
    budget, limits = Budget(), Limits(requests=2, window_seconds=300)
    assert budget.spend("a", limits, 1000.0) == (
        True,
        {
            "RateLimit": '"api";r=1;t=300',
            "RateLimit-Policy": '"fixed window";"api";q=2;w=300',
        },
    )
    assert budget.spend("a", limits, 1200.5)[1]["RateLimit"] == '"api";r=0;t=100'
    assert budget.spend("a", limits, 1299.9)[0] is False
    assert budget.spend("b", limits, 1299.9)[0] is True
    granted, headers = budget.spend("a", limits, 1300.0)
    assert granted
    assert headers["RateLimit"] == '"api";r=1;t=300'


async def test_headers_count_down_to_429() -> None:
    limits = Limits(requests=2, window_seconds=300)
    async with (
        SimulatedHub(small_catalog(), clock=SimulatedClock(NOW), limits=limits) as hub,
        httpx.AsyncClient(base_url=hub.url) as http,
    ):
        first = await http.get("/api/models?limit=1")
        assert first.headers["RateLimit-Policy"] == '"fixed window";"api";q=2;w=300'
        assert left(first) == 1
        assert left(await http.get("/api/models/acorn/nope")) == 0
        refused = await http.get("/api/models?limit=1")
        assert refused.status_code == 429
        assert left(refused) == 0
        assert "rate limit" in refused.json()["error"]
        assert (await http.get("/lists/models.csv")).status_code == 200


async def test_a_spent_window_ends() -> None:
    limits = Limits(requests=1, window_seconds=0.2)
    async with (
        SimulatedHub(small_catalog(), clock=SimulatedClock(NOW), limits=limits) as hub,
        httpx.AsyncClient(base_url=hub.url) as http,
    ):
        statuses = [(await http.get("/api/models?limit=1")).status_code for _ in range(2)]
        while statuses[-1] == 429:
            statuses.append((await http.get("/api/models?limit=1")).status_code)
    assert statuses[0] == 200
    assert statuses[-1] == 200


async def test_a_token_has_its_own_limits() -> None:
    async with (
        SimulatedHub(
            small_catalog(),
            clock=SimulatedClock(NOW),
            limits=Limits(requests=1),
            tokens={"hf_known": Limits(requests=5)},
        ) as hub,
        httpx.AsyncClient(base_url=hub.url) as http,
    ):
        known = {"Authorization": "Bearer hf_known"}
        assert left(await http.get("/api/models?limit=1")) == 0
        assert (await http.get("/api/models?limit=1")).status_code == 429
        assert left(await http.get("/api/models?limit=1", headers=known)) == 4


@pytest.mark.parametrize("authorization", ["Bearer hf_wrong", "Bearer", "hf_known", "Basic x"])
async def test_a_wrong_token_is_refused(authorization: str) -> None:
    async with (
        SimulatedHub(small_catalog(), tokens={"hf_known": Limits()}) as hub,
        httpx.AsyncClient(base_url=hub.url) as http,
    ):
        answer = await http.get("/api/models", headers={"Authorization": authorization})
    assert answer.status_code == 401
    assert answer.json() == {"error": "Invalid credentials in Authorization header"}
    assert answer.headers["X-Error-Message"] == "Invalid credentials in Authorization header"


@pytest.mark.parametrize(("requests", "window"), [(-1, 300), (5, 0)])
def test_impossible_limits_are_refused(requests: int, window: float) -> None:
    with pytest.raises(ValueError, match="budget"):
        Limits(requests, window)
