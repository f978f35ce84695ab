"""ModelScope's counters beside the Hub's: documented answers and failures."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from breakout.contract.events import DeadLetter, DownloadsSlice
from breakout.contract.topics import DEAD_LETTERS, DOWNLOADS
from breakout.settings import Settings
from breakout.simulation import SimulatedClock, invented_catalog
from collectors.http.client import Source
from collectors.http.errors import EmptyResponseError
from collectors.sources.modelscope import ModelScopeJob, ModelScopeListing, list_models, load_owners
from tests.breakout.registry.lists import contents
from tests.collectors.quick import QUICK
from tests.collectors.records import PARTITIONS, read_events
from tests.collectors.scripted import Scripted, scripted
from tests.support.faulty_hub.faults import ErrorStatus, TooManyRequests, Truncated
from tests.support.faulty_hub.hub import FaultyHub
from tests.support.server_process import Broker

NOW = datetime(2026, 8, 22, 4, tzinfo=UTC)
PATH = "/openapi/v1/models"


def row(model_id: str, downloads: Any = 643087, likes: Any = 137) -> dict[str, Any]:
    return {
        "id": model_id,
        "display_name": "…",
        "downloads": downloads,
        "likes": likes,
        "params": 7615616512,
        "private": False,
    }


def listed(*rows: Any, total: int | None = None) -> Any:
    data = {
        "models": list(rows),
        "total_count": len(rows) if total is None else total,
        "page_number": 1,
        "page_size": 50,
    }
    return {"success": True, "data": data}


TRACKED = ("zai-org/GLM-5", "zai-org/glm-4-9b", "Qwen/Qwen3-8B", "acorn/only-on-the-hub")


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    owners = {
        "ZhipuAI": listed(row("ZhipuAI/GLM-5", 5), row("ZhipuAI/GLM-4-9B", 4), row("ZhipuAI/x")),
        "Qwen": listed(row("Qwen/Qwen3-8B")),
    }
    answers: dict[str, Any] = {
        f"/list/{path}": (lambda _, text=text: web.Response(body=text))
        for path, text in _list_files().items()
    }
    answers[PATH] = lambda request: owners.get(request.query["owner"], listed())
    async with scripted(answers) as running:
        yield running


def _list_files() -> dict[str, bytes]:
    models = "".join(f"{one.partition('/')[0]},{one.partition('/')[2]},{one}\n" for one in TRACKED)
    return contents() | {"models.csv": f"org,model,modelId\n{models}".encode()}


def job(broker: Broker, url: str, lists: str) -> ModelScopeJob:
    settings = Settings(
        kafka_bootstrap_servers=broker.bootstrap,
        modelscope_endpoint=url,
        tracked_models_url=lists,
        partitions=PARTITIONS,
    )
    return ModelScopeJob(settings, give_up_after=20.0, request_policy=QUICK)


def scripted_job(broker: Broker, server: Scripted) -> ModelScopeJob:
    return job(broker, server.url, f"{server.url}/list")


async def counters(broker: Broker) -> dict[str, list[int | None]]:
    slices = await read_events(broker.bootstrap, DOWNLOADS, DownloadsSlice)
    assert {one.source for one in slices} <= {"modelscope"}
    return {
        model: counts
        for one in slices
        for model, *counts in zip(
            one.models, one.downloads_all_time, one.downloads_30d, one.likes, strict=True
        )
    }


async def test_counters_land_under_the_tracked_ids(broker: Broker, server: Scripted) -> None:
    outcome = await scripted_job(broker, server).run(NOW)
    assert await counters(broker) == {
        "zai-org/GLM-5": [5, None, 137],
        "zai-org/glm-4-9b": [4, None, 137],
        "Qwen/Qwen3-8B": [643087, None, 137],
    }
    assert outcome.complete
    assert outcome.published == {"tracked models": 3}


async def test_of_names_alike_the_one_spelled_as_on_the_hub_counts(
    broker: Broker, server: Scripted
) -> None:
    twins = listed(row("Qwen/Qwen3-8B", 7), row("Qwen/qwen3-8b", 1))
    server.answers[PATH] = lambda request: (
        twins if request.query["owner"] == "Qwen" else listed(row("ZhipuAI/GLM-5", 5))
    )
    await scripted_job(broker, server).run(NOW)
    assert (await counters(broker))["Qwen/Qwen3-8B"] == [7, None, 137]


async def test_a_name_that_may_mean_two_models_means_neither() -> None:
    answers = {PATH: listed(row("acorn/NUT"), row("acorn/nut", 3))}
    async with (
        scripted(answers) as server,
        Source("modelscope", server.url, "MODELSCOPE_ENDPOINT", request_policy=QUICK) as source,
    ):
        found = await list_models(source, ["acorn/Nut", "acorn/nut"], {})
    assert {one: found.counters[one].downloads_all_time for one in found.counters} == {
        "acorn/nut": 3
    }


async def test_all_pages_of_an_owner_are_read(broker: Broker, server: Scripted) -> None:
    def answer(request: web.Request) -> Any:
        if request.query["owner"] != "Qwen":
            return listed()
        last = request.query["page_number"] == "3"
        rows = [row("Qwen/Qwen3-8B", 7)] if last else [row(f"Qwen/x-{n}") for n in range(50)]
        return listed(*rows, total=101)

    server.answers[PATH] = answer
    assert (await scripted_job(broker, server).run(NOW)).complete
    assert await counters(broker) == {"Qwen/Qwen3-8B": [7, None, 137]}


async def test_what_lies_deeper_than_modelscope_lists_is_said(
    broker: Broker, server: Scripted
) -> None:
    server.answers[PATH] = lambda request: (
        listed(*(row(f"Qwen/x-{n}") for n in range(49)), row("Qwen/Qwen3-8B"), total=3001)
        if request.query["owner"] == "Qwen"
        else listed()
    )
    outcome = await scripted_job(broker, server).run(NOW)
    assert outcome.failures == (
        "modelscope: Qwen has 3001 models, of which the first 3000 are listed",
    )


@pytest.mark.parametrize(
    "answer",
    [{"success": False, "message": "no"}, {"success": True}, [], listed(total=2)],
    ids=repr,
)
async def test_an_owner_that_cannot_be_listed_is_a_trouble(
    broker: Broker, server: Scripted, answer: Any
) -> None:
    server.answers[PATH] = lambda request: (
        answer if request.query["owner"] == "Qwen" else listed(row("ZhipuAI/GLM-5", 5))
    )
    outcome = await scripted_job(broker, server).run(NOW)
    (trouble,) = outcome.failures
    assert "the listing of Qwen" in trouble
    assert (await counters(broker)).keys() == {"zai-org/GLM-5"}


async def test_an_unreadable_row_is_a_dead_letter_and_its_neighbours_land(
    broker: Broker, server: Scripted
) -> None:
    server.answers[PATH] = lambda request: (
        listed(row("ZhipuAI/GLM-5", "many"), row("ZhipuAI/GLM-4-9B", 4), {"id": 7})
        if request.query["owner"] == "ZhipuAI"
        else listed()
    )
    outcome = await scripted_job(broker, server).run(NOW)
    assert list(outcome.missing) == ["zai-org/GLM-5"]
    assert (await counters(broker)).keys() == {"zai-org/glm-4-9b"}
    assert len(await read_events(broker.bootstrap, DEAD_LETTERS, DeadLetter)) == 2


async def test_no_counter_at_all_is_an_alarm(broker: Broker, server: Scripted) -> None:
    server.answers[PATH] = listed()
    with pytest.raises(EmptyResponseError, match="modelscope: no counter could be read"):
        await scripted_job(broker, server).run(NOW)


def test_the_shipped_owners_are_readable() -> None:
    owners = load_owners()
    assert owners["zai-org"] == ["ZhipuAI"]
    assert owners["nvidia"] == ["nv-community"]
    assert owners["google"] == ["LLM-Research", "google"]
    assert owners["mistralai"] == ["LLM-Research", "mistralai"]


GEMMAS = ["google/gemma-2-9b", "google/gemma-3-4b-it", "google/gemma-4-31B-it"]
OWNED = {
    "LLM-Research": listed(row("LLM-Research/gemma-2-9b", 9), row("LLM-Research/gemma-3-4b-it", 3)),
    "google": listed(row("google/gemma-3-4b-it", 30), row("google/gemma-4-31B-it", 4)),
}


async def listing_of(owned: dict[str, Any], tracked: list[str]) -> ModelScopeListing:
    answers = {PATH: lambda request: owned.get(request.query["owner"], listed())}
    async with (
        scripted(answers) as server,
        Source("modelscope", server.url, "MODELSCOPE_ENDPOINT", request_policy=QUICK) as source,
    ):
        return await list_models(source, tracked, load_owners())


async def test_all_owners_of_an_organisation_are_read_and_the_greater_counter_counts() -> None:
    found = await listing_of(OWNED, [*GEMMAS, "nvidia/Nano-4B"])
    assert {one: found.counters[one].downloads_all_time for one in GEMMAS} == dict(
        zip(GEMMAS, (9, 30, 4), strict=True)
    )
    assert (found.missing, found.failures) == ({}, {})
    nemotron = {"nv-community": listed(row("nv-community/Nano-4B", 8))}
    assert "nvidia/Nano-4B" in (await listing_of(nemotron, ["nvidia/Nano-4B"])).counters


@pytest.mark.parametrize(
    ("failing", "unknown"),
    [
        ("google", ["google/gemma-2-9b", "google/gemma-3-4b-it"]),
        ("LLM-Research", ["google/gemma-3-4b-it", "google/gemma-4-31B-it"]),
    ],
)
async def test_models_of_several_owners_are_missing_while_one_cannot_be_listed(
    failing: str, unknown: list[str]
) -> None:
    owned = OWNED | {"Qwen": listed(row("Qwen/Qwen3-8B"))} | {failing: {"success": False}}
    found = await listing_of(owned, [*GEMMAS, "Qwen/Qwen3-8B"])
    assert list(found.counters) == ["Qwen/Qwen3-8B"]
    assert sorted(found.missing) == unknown
    assert "another owner may have a higher counter" in found.missing[unknown[0]]
    assert list(found.failures) == [failing]


async def test_a_name_that_two_organisations_have_at_one_owner_means_neither() -> None:
    twins = ["google/twin", "microsoft/twin", "microsoft/phi-4"]
    owned = {"LLM-Research": listed(row("LLM-Research/twin"), row("LLM-Research/phi-4", 4.0))}
    found = await listing_of(owned, twins)
    assert {one: found.counters[one].downloads_all_time for one in found.counters} == {
        "microsoft/phi-4": 4
    }


@pytest.fixture(scope="module")
def catalog() -> Any:
    return invented_catalog(end=NOW, days=200)


@pytest.mark.parametrize(
    "fault",
    [
        ErrorStatus(match="openapi", times=2),
        TooManyRequests(match="openapi", wait="seconds", seconds=0, times=1),
        Truncated(match="openapi", times=2),
    ],
    ids=repr,
)
async def test_transient_fault_is_retried(broker: Broker, catalog: Any, fault: Any) -> None:
    async with FaultyHub(catalog, clock=SimulatedClock(NOW)) as hub:
        hub.faults.add(fault)
        outcome = await job(broker, hub.modelscope_url, hub.tracked_models_url).run(NOW)
    assert outcome.complete
    assert outcome.published["tracked models"] > 100
