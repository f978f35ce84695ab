"""A survey of the simulated Hub: what is listed, what is asked for, what is missing."""

import base64
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest
from aiohttp import web

from breakout.simulation import Catalog, Model, SimulatedClock
from collectors.http.client import Source
from collectors.http.errors import EmptyResponseError
from collectors.hub.crawl import Crawl, crawl
from collectors.scheduling.job import Progress
from tests.collectors.quick import QUICK
from tests.collectors.scripted import scripted
from tests.support.faulty_hub.faults import (
    CursorLoop,
    Duplicates,
    EmptyList,
    ErrorStatus,
    Fault,
    Html,
    RepeatedCursor,
    Truncated,
    Vanished,
    WrongValues,
)
from tests.support.faulty_hub.hub import FaultyHub

NOW = datetime(2026, 8, 22, 11, tzinfo=UTC)
EARLIER = NOW - timedelta(days=3)
ACORNS = [f"acorn/tiny-{i}B" for i in range(1, 6)]
BIRCHES = [f"birch/small-{i}B" for i in range(1, 4)]


async def crawl_of(
    hub: FaultyHub,
    wanted: list[str],
    *,
    organisations: tuple[str, ...] = ("acorn", "birch"),
    single_requests: int = 60,
    repositories: Mapping[str, str] = MappingProxyType({}),
    on_progress: Progress = lambda _done, _total: None,
) -> Crawl:
    async with Source(
        "huggingface", hub.url, "HF_ENDPOINT", token_setting="HF_TOKEN", request_policy=QUICK
    ) as source:
        return await crawl(
            source,
            organisations,
            wanted,
            single_requests=single_requests,
            repositories=repositories,
            on_progress=on_progress,
        )


def running(*models: Model | str) -> FaultyHub:
    return FaultyHub(Catalog.of(models), clock=SimulatedClock(NOW))


@pytest.fixture
async def hub() -> AsyncIterator[FaultyHub]:
    async with running(*ACORNS, *BIRCHES) as started:
        yield started


async def test_one_request_an_organisation(hub: FaultyHub) -> None:
    found = await crawl_of(hub, [*ACORNS, *BIRCHES])
    assert sorted(found.rows) == sorted([*ACORNS, *BIRCHES])
    assert (found.missing, found.failures, found.rejected.letters) == ({}, {}, [])
    assert len(hub.requests) == 2
    query = hub.requests[0].query
    assert ("author", "acorn") in query
    assert ("limit", "1000") in query
    assert {value for name, value in query if name == "expand[]"} == {
        "downloads",
        "downloadsAllTime",
        "likes",
        "createdAt",
        "safetensors",
        "baseModels",
        "gated",
        "pipeline_tag",
        "tags",
    }


async def test_pages_are_followed_to_the_end() -> None:
    many = [f"acorn/tiny-{i}" for i in range(2345)]
    async with running(*many) as hub:
        found = await crawl_of(hub, many, organisations=("acorn",))
        assert sorted(found.rows) == sorted(many)
        assert found.failures == {}
        assert len(hub.requests) == 3


async def test_a_model_on_two_pages_is_one_model() -> None:
    many = [f"acorn/tiny-{i}" for i in range(1500)]
    async with running(*many) as hub:
        hub.faults.add(Duplicates(count=30))
        found = await crawl_of(hub, many, organisations=("acorn",))
        assert sorted(found.rows) == sorted(many)
        assert (found.missing, found.failures) == ({}, {})


@pytest.mark.parametrize("fault", [RepeatedCursor(), CursorLoop()])
async def test_looping_pagination_is_abandoned(fault: Fault) -> None:
    many = [f"acorn/tiny-{i}" for i in range(2500)]
    async with running(*many, *BIRCHES) as hub:
        hub.faults.add(fault)
        found = await crawl_of(hub, [*many, *BIRCHES], single_requests=20)
    assert set(BIRCHES) <= set(found.rows)
    assert len(hub.requests) <= 30
    assert "the listing of acorn: pagination loops after" in found.failures["acorn"]
    # What was read counts, a bounded number is asked for, the rest is named.
    assert 1000 < len(found.rows) < 2503
    assert set(found.rows) | set(found.missing) == {*many, *BIRCHES}
    assert not set(found.rows) & set(found.missing)
    assert "; not requested: more than 20" in next(iter(found.missing.values()))


async def test_models_missing_from_listing_are_requested(hub: FaultyHub) -> None:
    hub.faults.add(Vanished(match="author=acorn", models=ACORNS[:2]))
    found = await crawl_of(hub, [*ACORNS, *BIRCHES])
    assert sorted(found.rows) == sorted([*ACORNS, *BIRCHES])
    assert found.missing == {}
    assert sorted(r.path for r in hub.requests[2:]) == [
        f"/api/models/{model_id}" for model_id in ACORNS[:2]
    ]


async def test_id_with_special_characters_is_quoted(hub: FaultyHub) -> None:
    odd = "acorn/wörter-模型..x"
    found = await crawl_of(hub, [*ACORNS, odd])
    assert hub.requests[-1].path == f"/api/models/{odd}"
    assert found.missing == {odd: "deleted: the Hub has no such model"}


async def test_models_of_empty_listing_are_requested(hub: FaultyHub) -> None:
    hub.faults.add(EmptyList(match="author=acorn"))
    found = await crawl_of(hub, [*ACORNS, *BIRCHES])
    assert sorted(found.rows) == sorted([*ACORNS, *BIRCHES])


async def test_single_requests_are_capped(hub: FaultyHub) -> None:
    hub.faults.add(EmptyList(match="author="))
    found = await crawl_of(hub, [*ACORNS, *BIRCHES], single_requests=2)
    # Two organisations, two of whose models tell that they did not move, two more.
    assert len(hub.requests) == 6
    assert len(found.rows) == 4
    assert len(found.missing) == 4
    for reason in found.missing.values():
        assert reason == (
            "not in its organisation's listing; not requested: more than 2 such models"
        )


async def test_seed_selects_requested_models(hub: FaultyHub) -> None:
    hub.faults.add(Vanished(match="author=acorn", models=ACORNS[:4]))
    asked = set()
    for seed in range(12):
        async with Source("huggingface", hub.url, "HF_ENDPOINT", request_policy=QUICK) as source:
            found = await crawl(source, ["acorn"], ACORNS, seed=str(seed), single_requests=1)
        asked.update(set(found.rows) - {ACORNS[4]})
    assert asked == set(ACORNS[:4])


async def test_a_renamed_model_keeps_its_id() -> None:
    renamed = Model("acorn/old-7B", renamed_to="acorn/new-7B", renamed_at=EARLIER)
    async with running(renamed, *ACORNS) as hub:
        found = await crawl_of(hub, ["acorn/old-7B", *ACORNS], organisations=("acorn",))
    assert found.renamed == {"acorn/old-7B": "acorn/new-7B"}
    assert found.missing == {}
    assert sorted(found.rows) == sorted(["acorn/old-7B", *ACORNS])
    assert found.rows["acorn/old-7B"]["id"] == "acorn/new-7B"


async def test_name_redirecting_to_other_repository_is_missing() -> None:
    renamed = Model("acorn/old", renamed_to="acorn/new", renamed_at=EARLIER)
    async with running(renamed, *ACORNS) as hub:
        first = await crawl_of(hub, ["acorn/old", *ACORNS])
        same = await crawl_of(hub, ["acorn/old"], repositories=first.repositories)
        other = await crawl_of(
            hub, ["acorn/old", *ACORNS], repositories={"acorn/old": "621ffdc036468d709f17434d"}
        )
    assert first.repositories["acorn/old"] == first.rows["acorn/old"]["_id"]
    assert (same.missing, same.renamed) == ({}, {"acorn/old": "acorn/new"})
    assert "acorn/old" not in other.rows
    assert "another repository, acorn/new: _id was 621ffdc0" in other.missing["acorn/old"]


async def test_listings_have_stable_order(hub: FaultyHub) -> None:
    await crawl_of(hub, [*ACORNS, *BIRCHES])
    assert all(("sort", "createdAt") in request.query for request in hub.requests)


async def test_an_organisation_of_more_than_a_page_is_complete() -> None:
    async with running(*(f"oak/leaf-{number}" for number in range(2003))) as hub:
        found = await crawl_of(hub, ["oak/leaf-2002"], organisations=("oak",))
        assert len(hub.requests) == 3
    assert (len(found.rows), found.failures) == (2003, {})


async def test_a_redirect_without_a_query_keeps_the_fields_asked_for() -> None:
    def bare(_: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": "/api/models/acorn/new"})

    answers = {
        "/api/models": [],
        "/api/models/acorn/old": bare,
        "/api/models/acorn/new": {"_id": "1", "id": "acorn/new", "downloadsAllTime": 5},
    }
    async with (
        scripted(answers) as server,
        Source("huggingface", server.url, "HF_ENDPOINT", request_policy=QUICK) as source,
    ):
        found = await crawl(source, ["acorn"], ["acorn/old"])
        asked = [request.query.getall("expand[]") for request in server.requests[1:]]
    assert found.renamed == {"acorn/old": "acorn/new"}
    assert asked[0] == asked[1]
    assert "downloadsAllTime" in asked[0]


async def test_a_model_renamed_to_a_tracked_one_does_not_count_twice() -> None:
    renamed = Model("acorn/old-7B", renamed_to="acorn/new-7B", renamed_at=EARLIER)
    async with running(renamed) as hub:
        found = await crawl_of(hub, ["acorn/old-7B", "acorn/new-7B"], organisations=("acorn",))
    assert list(found.rows) == ["acorn/new-7B"]
    assert found.aliases == {"acorn/old-7B": "acorn/new-7B"}
    assert found.missing == {}


async def test_a_renamed_organisation_costs_few_requests() -> None:
    models = [
        Model(f"old/tiny-{i}B", renamed_to=f"new/tiny-{i}B", renamed_at=EARLIER) for i in range(90)
    ]
    wanted = [model.id for model in models]
    tracked_twice = "new/tiny-3B"
    async with running(*models, *BIRCHES) as hub:
        found = await crawl_of(hub, [*wanted, tracked_twice], organisations=("birch", "old"))
    assert len(hub.requests) <= 5
    assert set(found.rows) == {*BIRCHES, *wanted, tracked_twice} - {"old/tiny-3B"}
    assert found.aliases == {"old/tiny-3B": "new/tiny-3B"}
    assert found.missing == {}


async def test_deleted_and_private_models_are_missing_with_the_reason() -> None:
    models: list[Model | str] = [
        Model("acorn/gone-7B", deleted_at=EARLIER),
        Model("acorn/hidden-7B", private_from=EARLIER),
        *ACORNS,
    ]
    async with running(*models) as hub:
        wanted = ["acorn/gone-7B", "acorn/hidden-7B", *ACORNS]
        found = await crawl_of(hub, wanted, organisations=("acorn",))
    assert sorted(found.rows) == sorted(ACORNS)
    assert found.missing["acorn/gone-7B"] == "deleted: the Hub has no such model"
    assert found.missing["acorn/hidden-7B"].startswith("private or deleted: HTTP 401")
    assert "HF_TOKEN" in found.missing["acorn/hidden-7B"]


@pytest.mark.parametrize(
    "fault",
    [
        ErrorStatus(match="author=acorn", status=503),
        ErrorStatus(match="author=acorn", status=400),
        Html(match="author=acorn"),
        Truncated(match="author=acorn"),
    ],
    ids=repr,
)
async def test_failing_organisation_does_not_affect_others(hub: FaultyHub, fault: Fault) -> None:
    hub.faults.add(fault)
    found = await crawl_of(hub, [*ACORNS, *BIRCHES], single_requests=3)
    assert set(found.failures) == {"acorn"}
    assert set(BIRCHES) <= set(found.rows)
    assert len(set(ACORNS) & set(found.rows)) == 3
    assert len(found.missing) == 2
    for reason in found.missing.values():
        assert f"{hub.url}/api/models: " in reason


async def test_a_page_that_fails_keeps_the_pages_before() -> None:
    many = [f"acorn/tiny-{i}" for i in range(1500)]
    async with running(*many) as hub:
        hub.faults.add(ErrorStatus(match="cursor=", status=500))
        found = await crawl_of(hub, many, organisations=("acorn",), single_requests=10)
    assert len(found.rows) == 1010
    assert len(found.missing) == 490
    assert "HTTP 500" in found.failures["acorn"]


async def test_response_that_is_not_a_list_is_reported(hub: FaultyHub) -> None:
    async with Source("huggingface", hub.url, "HF_ENDPOINT", request_policy=QUICK) as source:
        answer = await source.json(f"/api/models/{ACORNS[0]}")
        assert isinstance(answer.content, dict)
    hub.faults.add(WrongValues(values={"id": 7}, models=[ACORNS[0]], match="author=acorn"))
    found = await crawl_of(hub, [*ACORNS, *BIRCHES])
    rows = [json.loads(base64.b64decode(one.value_base64)) for one in found.rejected.letters]
    assert [row["id"] for row in rows] == [7]
    # The listing's row is unreadable, the model itself is not.
    assert set(found.rows) == {*ACORNS, *BIRCHES}


async def test_crawl_without_rows_raises(hub: FaultyHub) -> None:
    hub.faults.add(ErrorStatus(status=503))
    with pytest.raises(EmptyResponseError, match="HTTP 503 Service Unavailable"):
        await crawl_of(hub, [*ACORNS, *BIRCHES])
    assert QUICK.retries.attempts is not None
    assert len(hub.requests) == 2 * QUICK.retries.attempts


async def test_a_hub_without_the_organisations_is_a_failure() -> None:
    async with running("cedar/tiny-1B") as hub:
        with pytest.raises(EmptyResponseError, match="deleted: the Hub has"):
            await crawl_of(hub, ACORNS)
        with pytest.raises(EmptyResponseError, match="the listed organisations have no models"):
            await crawl_of(hub, [])


async def test_rejected_token_stops_all_listings(hub: FaultyHub) -> None:
    hub.faults.add(ErrorStatus(status=401))
    organisations = tuple(f"org-{i}" for i in range(50))
    with pytest.raises(EmptyResponseError, match="check HF_TOKEN"):
        await crawl_of(hub, ACORNS, organisations=organisations)
    assert len(hub.requests) <= QUICK.concurrency


async def test_progress_reaches_its_end(hub: FaultyHub) -> None:
    hub.faults.add(Vanished(match="author=acorn", models=ACORNS[:2]))
    seen: list[tuple[int, int | None]] = []
    await crawl_of(
        hub, [*ACORNS, *BIRCHES], on_progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (4, 4)


async def test_the_whole_list_takes_under_two_hundred_requests() -> None:
    """64 organisations, 1,958 tracked models among more, one of each misfortune."""
    models: list[Model] = []
    wanted: list[str] = []
    for i in range(1958):
        model_id = f"org-{i % 64:02d}/model-{i}-7B"
        wanted.append(model_id)
        if i % 64 == 63:
            model = Model(model_id, renamed_to=f"moved/model-{i}-7B", renamed_at=EARLIER)
        elif i % 100 == 0:
            model = Model(model_id, deleted_at=EARLIER)
        elif i % 101 == 0:
            model = Model(model_id, renamed_to=f"{model_id}-v2", renamed_at=EARLIER)
        else:
            model = Model(model_id)
        models.append(model)
    models += [Model(f"org-00/other-{i}") for i in range(2200)]
    deleted = {m.id for m in models if m.deleted_at}
    organisations = tuple(sorted({model_id.partition("/")[0] for model_id in wanted}))
    async with running(*models) as hub:
        found = await crawl_of(hub, wanted, organisations=organisations)
        assert len(hub.requests) < 200
    assert set(found.missing) == deleted
    assert set(wanted) - deleted <= set(found.rows)
    assert len(organisations) == 64
    assert len(wanted) == 1958
