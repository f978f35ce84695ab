"""Queries about single models that wait together run as one."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
import pytest

from api.model_batches import MOST_MODELS, ModelBatches
from api.paging import LIMIT
from api.problems import ProblemError, unavailable
from breakout.settings import Settings
from tests.api.conftest import serving

SQL = f"SELECT model_id, n FROM t ORDER BY model_id, n {LIMIT}"


class Slots:
    """Slots, and a database in which each model has `page_rows` rows."""

    def __init__(self, number: int = 1) -> None:
        self.free = asyncio.Semaphore(number)
        self.queries: list[tuple[str, list[str]]] = []
        self.started = asyncio.Event()
        self.refused = False
        self.error: Exception | None = None
        self.batches = ModelBatches(self.slot, self.fetch)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        if self.refused:
            raise unavailable("Too many queries are running", seconds=1)
        async with self.free:
            yield

    async def fetch(self, sql: str, values: Mapping[str, object]) -> bytes:
        models, rows = values["model"], values["page_rows"]
        assert isinstance(models, list)
        assert isinstance(rows, int)
        self.queries.append((sql, models))
        self.started.set()
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return b"".join(line(model, n) for model in sorted(models) for n in range(rows))

    def ask(self, model: str, rows: int = 2, sql: str = SQL) -> "asyncio.Task[bytes]":
        return asyncio.create_task(
            self.batches.lines(sql, {"model": [model], "page_rows": rows, "as_of": "now"})
        )


def line(model: str, number: int) -> bytes:
    # As ClickHouse writes them. A text may look like the column.
    row = {"group": f'"model_id":"{model}x"', "model_id": model, "n": number}
    return json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_query_runs_at_once_if_a_slot_is_free() -> None:
    slots = Slots(2)
    assert await slots.ask("a/b") == line("a/b", 0) + line("a/b", 1)
    assert slots.queries == [(SQL, ["a/b"])]


async def test_models_that_wait_share_the_next_slot() -> None:
    slots = Slots()
    names = ["a/b", 'a/"quoted"', "a/ü", "a/b", "a/c"]
    async with slots.free:
        asked = [slots.ask(name) for name in names]
        other = slots.ask("a/b", rows=3)
        await settle()
        assert slots.queries == []
    for name, one in zip(names, asked, strict=True):
        assert await one == line(name, 0) + line(name, 1)
    assert (await other).count(b"\n") == 3
    # Rows are limited for each model alike.
    assert slots.queries == [
        (f"{SQL} BY model_id", ["a/b", 'a/"quoted"', "a/ü", "a/c"]),
        (SQL, ["a/b"]),
    ]
    assert not slots.free.locked()


async def test_batch_has_a_bounded_number_of_models() -> None:
    slots = Slots()
    async with slots.free:
        asked = [slots.ask(f"a/{number}") for number in range(2 * MOST_MODELS + 1)]
        await settle()
    await asyncio.gather(*asked)
    assert [len(models) for _, models in slots.queries] == [MOST_MODELS, MOST_MODELS, 1]


async def test_model_without_rows_has_no_lines() -> None:
    slots = Slots()
    async with slots.free:
        asked = [slots.ask(name, rows=0) for name in ("a/b", "a/c")]
        await settle()
    assert await asyncio.gather(*asked) == [b"", b""]


async def test_error_of_the_query_reaches_all() -> None:
    slots = Slots()
    slots.error = ValueError("broken")
    async with slots.free:
        asked = [slots.ask(name) for name in ("a/b", "a/c")]
        await settle()
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(one) for one in found] == ["broken", "broken"]
    slots.error = None
    assert await slots.ask("a/b")


async def test_without_a_slot_it_is_refused() -> None:
    slots = Slots()
    slots.refused = True
    with pytest.raises(ProblemError, match="Too many queries"):
        await slots.ask("a/b")
    slots.refused = False
    assert await slots.ask("a/b")


async def test_who_leaves_is_not_read_for() -> None:
    slots = Slots()
    async with slots.free:
        gone, stays = slots.ask("a/b"), slots.ask("a/c")
        await settle()
        gone.cancel()
        await settle()
    assert await stays == line("a/c", 0) + line("a/c", 1)
    assert slots.queries == [(SQL, ["a/c"])]


async def test_who_leaves_during_the_query_does_not_end_it() -> None:
    slots = Slots()
    async with slots.free:
        gone, stays = slots.ask("a/b"), slots.ask("a/c")
        await settle()
    await slots.started.wait()
    gone.cancel()
    assert await stays == line("a/c", 0) + line("a/c", 1)
    await settle()
    assert not slots.free.locked()


PATHS = (
    "models?",
    "ram?",
    "ram/curves?limit=30&",
    "ram/milestones?",
    "downloads?",
    "downloads?by=org&",
)


async def test_concurrent_responses_equal_those_alone(
    ram_api: tuple[httpx.Client, Settings], tmp_path: object
) -> None:
    client, settings = ram_api
    models = [f"org{number % 3}/model-{number:02}" for number in range(14)]
    urls = [f"/v1/{path}model={model}" for path in PATHS for model in models]
    expected = {url: client.get(url).json() for url in urls}
    assert len({json.dumps(one["data"]) for one in expected.values()}) > 3 * len(models)
    with serving(
        tmp_path,  # type: ignore[arg-type]
        settings,
        BREAKOUT_API_CONCURRENT_QUERIES="2",
        BREAKOUT_API_REQUESTS_PER_MINUTE="100000",
    ) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as concurrent:
            found = await asyncio.gather(*(concurrent.get(url) for url in urls))
    for url, response in zip(urls, found, strict=True):
        assert response.json()["data"] == expected[url]["data"], url
