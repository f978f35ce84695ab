"""The survey of derivatives, against the simulated Hub."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from breakout.contract.events import DeadLetter, DerivativesSlice
from breakout.contract.topics import DEAD_LETTERS, DERIVATIVES
from breakout.settings import Settings
from breakout.simulation import Catalog, Launch, Model, SimulatedClock
from collectors.http.errors import EmptyResponseError
from collectors.hub.crawl import hub_source
from collectors.publishing.slices import MOST_BYTES
from collectors.sources.derivatives import (
    BUDGET_EXHAUSTED,
    Derivative,
    DerivativesCrawl,
    DerivativesJob,
    _merged,
    crawl_derivatives,
    slices,
)
from tests.collectors.quick import QUICK
from tests.collectors.records import PARTITIONS, read_events, read_records
from tests.support.faulty_hub.faults import (
    CursorLoop,
    EmptyList,
    ErrorStatus,
    MissingFields,
    RepeatedCursor,
    TooManyRequests,
    Truncated,
    WrongValues,
)
from tests.support.faulty_hub.hub import FaultyHub
from tests.support.server_process import Broker

NOW = datetime(2026, 8, 22, 11, tzinfo=UTC)
TRACKED = ["acorn/base-1B", "acorn/it-1B", "birch/base-1B"]


def derived(
    model_id: str, *parents: str, relation: Any = "finetune", day_30: float = 1000
) -> Model:
    return Model(
        model_id,
        base_models=parents,
        base_relation=relation,
        launch=Launch(day_30=day_30),
        tracked_in=None,
    )


MODELS = [
    *(Model(one) for one in TRACKED if one != "acorn/it-1B"),
    Model("acorn/it-1B", base_models=("acorn/base-1B",), base_relation="finetune"),
    derived("user/tuned", "acorn/it-1B"),
    derived("user/tuned-GGUF", "user/tuned", relation="quantized"),
    derived("user/lora", "birch/base-1B", relation="adapter"),
    derived("user/merged", "user/tuned", "birch/base-1B", relation="merge"),
    derived("user/of-merged", "user/merged"),
    derived("user/unused", "birch/base-1B", day_30=0.001),
    derived("user/of-unused", "user/unused"),
    derived("user/of-quantized", "user/tuned-GGUF"),
    derived("user/unrelated", "nobody/else"),
]
FOUND = {
    "acorn/it-1B": ("acorn/base-1B",),
    "user/tuned": ("acorn/it-1B",),
    "user/tuned-GGUF": ("user/tuned",),
    "user/lora": ("birch/base-1B",),
    "user/merged": ("user/tuned", "birch/base-1B"),
    "user/of-merged": ("user/merged",),
    "user/unused": ("birch/base-1B",),
}


@pytest.fixture
async def hub() -> AsyncIterator[FaultyHub]:
    async with FaultyHub(Catalog.of(MODELS), clock=SimulatedClock(NOW)) as running:
        yield running


def settings(hub: FaultyHub, **more: Any) -> Settings:
    return Settings(hf_endpoint=hub.url, tracked_models_url=hub.tracked_models_url, **more)


async def crawl(
    hub: FaultyHub, bases: Sequence[str] = TRACKED, requests: int = 1000
) -> DerivativesCrawl:
    async with hub_source(settings(hub), request_policy=QUICK) as source:
        return await crawl_derivatives(source, bases, requests=requests)


def one_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "collectors.sources.derivatives._ORDER", (("sort", "downloads"), ("limit", "1"))
    )


def parents(found: DerivativesCrawl) -> dict[str, tuple[str, ...]]:
    return {model_id: one.parents for model_id, one in found.derivatives.items()}


async def test_every_relation_and_generation_is_found(hub: FaultyHub) -> None:
    found = await crawl(hub)
    assert parents(found) == FOUND
    assert found.derivatives["user/tuned-GGUF"].relation == "quantized"
    assert found.derivatives["user/merged"].relation == "merge"
    assert (found.derivatives["user/tuned"].downloads_all_time or 0) > 100
    assert found.missing == {}


async def test_neither_quantized_nor_unused_models_are_asked_for_children(
    hub: FaultyHub,
) -> None:
    found = await crawl(hub)
    asked = [dict(request.query)["filter"] for request in hub.requests]
    assert "base_model:user/tuned" in asked
    assert "base_model:user/tuned-GGUF" not in asked
    assert "base_model:user/unused" not in asked
    assert len(asked) == len(set(asked)) == found.listed
    assert found.not_listed == 0


@pytest.mark.parametrize("requests", range(1, 9))
async def test_request_budget_is_respected(hub: FaultyHub, requests: int) -> None:
    found = await crawl(hub, requests=requests)
    assert len(hub.requests) == min(requests, found.listed)
    assert found.missing == dict.fromkeys(sorted(TRACKED)[requests:], BUDGET_EXHAUSTED)
    whole = await crawl(hub)
    assert found.listed == min(requests, whole.listed)


async def test_a_listing_longer_than_the_budget_is_missing(
    hub: FaultyHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_a_page(monkeypatch)
    found = await crawl(hub, ["acorn/base-1B", "birch/base-1B"], requests=3)
    assert found.missing == {"birch/base-1B": f"the other pages were {BUDGET_EXHAUSTED}"}
    assert parents(found) == {
        model_id: FOUND[model_id] for model_id in ("acorn/it-1B", "user/lora", "user/merged")
    }
    assert len(hub.requests) == 3


@pytest.mark.parametrize("requests", range(1, 13))
async def test_every_page_is_of_the_budget(
    hub: FaultyHub, monkeypatch: pytest.MonkeyPatch, requests: int
) -> None:
    one_a_page(monkeypatch)
    found = await crawl(hub, requests=requests)
    assert len(hub.requests) == min(requests, 10)
    assert parents(found).items() <= FOUND.items()
    assert found.missing == {} or requests < 10


@pytest.mark.parametrize(
    "fault",
    [
        ErrorStatus(times=2),
        TooManyRequests(seconds=0, times=2),
        Truncated(times=2),
    ],
    ids=repr,
)
async def test_transient_fault_is_retried(hub: FaultyHub, fault: Any) -> None:
    hub.faults.add(fault)
    assert parents(await crawl(hub)) == FOUND


async def test_failing_base_is_missing_and_others_are_published(hub: FaultyHub) -> None:
    hub.faults.add(ErrorStatus(match="base_model%3Abirch|base_model:birch"))
    found = await crawl(hub)
    assert list(found.missing) == ["birch/base-1B"]
    assert "HTTP 503" in found.missing["birch/base-1B"]
    assert parents(found).keys() == {
        "acorn/it-1B", "user/tuned", "user/tuned-GGUF", "user/merged", "user/of-merged",
    }  # fmt: skip


@pytest.mark.parametrize(
    "fault",
    [RepeatedCursor(match="acorn(/|%2F)it-1B"), CursorLoop(match="acorn(/|%2F)it-1B")],
    ids=repr,
)
async def test_base_with_looping_pagination_is_missing(hub: FaultyHub, fault: Any) -> None:
    hub.faults.add(fault)
    found = await crawl(hub, ["acorn/it-1B", "birch/base-1B"])
    assert list(found.missing) == ["acorn/it-1B"]
    assert "pagination loops" in found.missing["acorn/it-1B"]
    assert {"user/tuned", "user/lora"} <= found.derivatives.keys()


async def test_no_complete_listing_raises(hub: FaultyHub) -> None:
    hub.faults.add(ErrorStatus(status=401))
    with pytest.raises(EmptyResponseError, match="no listing of derivatives is complete"):
        await crawl(hub)
    assert len(hub.requests) <= QUICK.concurrency


async def test_no_derivatives_is_not_a_failure(hub: FaultyHub) -> None:
    hub.faults.add(EmptyList())
    assert parents(await crawl(hub)) == {}


async def test_derivative_without_base_models_has_listed_base(hub: FaultyHub) -> None:
    hub.faults.add(MissingFields(fields=["baseModels"]))
    found = await crawl(hub)
    assert found.derivatives["user/lora"].parents == ("birch/base-1B",)
    assert found.derivatives["user/merged"].parents == ("birch/base-1B", "user/tuned")
    assert found.derivatives["user/merged"].relation is None


MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
SAYS_ALL = Derivative(("b/b", "a/a"), "merge", MOMENT, 0, None)


@pytest.mark.parametrize(
    "other",
    [
        SAYS_ALL,
        Derivative(("b/b",), None, None, None, 0),
        Derivative(("c/c",), "finetune", None, 5, 7),
    ],
)
def test_two_listings_of_a_model_lose_nothing_in_either_order(other: Derivative) -> None:
    merged = _merged(SAYS_ALL, other)
    assert merged == _merged(other, SAYS_ALL)
    assert set(merged.parents) == {*SAYS_ALL.parents, *other.parents}
    assert (merged.relation, merged.created_at) == ("merge", MOMENT)
    assert merged.downloads_all_time == (other.downloads_all_time or 0)
    assert merged.downloads_30d == other.downloads_30d


async def test_listings_of_derivative_are_merged(hub: FaultyHub) -> None:
    hub.faults.add(MissingFields(match="user(/|%2F)tuned", fields=["baseModels"]))
    found = await crawl(hub)
    assert set(found.derivatives["user/merged"].parents) == set(FOUND["user/merged"])
    assert found.derivatives["user/merged"].relation == "merge"


async def test_model_with_too_many_bases_is_dead_letter(broker: Broker, hub: FaultyHub) -> None:
    bases = [{"id": f"organisation/{'x' * 200}-{n}"} for n in range(6000)]
    hub.faults.add(
        WrongValues(
            values={"baseModels": {"relation": "merge", "models": bases}}, models=["user/lora"]
        )
    )
    outcome = await job(broker, hub).run(NOW)
    assert outcome.dead_letters == 1
    (letter,) = await read_events(broker.bootstrap, DEAD_LETTERS, DeadLetter)
    assert "baseModels: 6000 are too many for a record" in letter.error
    (one,) = await read_events(broker.bootstrap, DERIVATIVES, DerivativesSlice)
    assert set(one.models) == FOUND.keys() - {"user/lora"}


async def test_an_unreadable_row_is_a_dead_letter_and_its_neighbours_land(
    broker: Broker, hub: FaultyHub
) -> None:
    hub.faults.add(WrongValues(values={"downloadsAllTime": -1}, models=["user/lora"]))
    outcome = await job(broker, hub).run(NOW)
    assert outcome.dead_letters == 1
    (letter,) = await read_events(broker.bootstrap, DEAD_LETTERS, DeadLetter)
    assert "downloadsAllTime" in letter.error
    assert letter.component == "collector:derivatives"
    (one,) = await read_events(broker.bootstrap, DERIVATIVES, DerivativesSlice)
    assert set(one.models) == FOUND.keys() - {"user/lora"}


def job(broker: Broker, hub: FaultyHub) -> DerivativesJob:
    return DerivativesJob(
        settings(hub, kafka_bootstrap_servers=broker.bootstrap, partitions=PARTITIONS),
        give_up_after=20.0,
        request_policy=QUICK,
    )


async def test_all_records_are_in_one_partition_and_equal_on_a_rerun(
    broker: Broker, hub: FaultyHub
) -> None:
    outcome = await job(broker, hub).run(NOW)
    assert outcome.complete
    assert outcome.published["derivatives"] == len(FOUND)
    await job(broker, hub).run(NOW)
    first, again = await read_records(broker.bootstrap, DERIVATIVES)
    assert first == again
    assert first.key == "huggingface"


@pytest.mark.parametrize("letter", ["x", '"', "ß", "模", "\N{LLAMA}"])
def test_slices_fit_in_a_record(letter: str) -> None:
    name = letter * 200 if letter.isalpha() else "x"
    long = tuple(f"organisation-{n}/{name}" for n in range(20))
    most = 2**63 - 1
    found = DerivativesCrawl(
        {f"user/{name}-{n}": Derivative(long, letter * 256, NOW, most, most) for n in range(999)}
    )
    pieces = list(slices(found, NOW))
    assert len(pieces) > 1
    assert all(len(piece.to_bytes()) <= MOST_BYTES for piece in pieces)
    assert [model for piece in pieces for model in piece.models] == sorted(found.derivatives)
    assert [piece.slice for piece in pieces] == list(range(len(pieces)))


async def test_bases_with_a_complete_listing_are_published(hub: FaultyHub) -> None:
    assert (await crawl(hub)).complete == sorted(TRACKED)
    assert (await crawl(hub, ["acorn/base-1B", "user/lora"])).complete == ["acorn/base-1B"]
    hub.faults.add(WrongValues(values={"downloadsAllTime": -1}, models=["user/lora"]))
    found = await crawl(hub)
    assert found.complete == ["acorn/base-1B", "acorn/it-1B"]
    first, *others = slices(found, NOW)
    assert first.bases == found.complete
    assert not any(one.bases for one in others)


async def test_base_whose_listing_failed_is_not_complete(hub: FaultyHub) -> None:
    hub.faults.add(ErrorStatus(match="base_model%3Abirch|base_model:birch"))
    assert (await crawl(hub)).complete == ["acorn/base-1B", "acorn/it-1B"]
    hub.faults.clear()
    hub.faults.add(EmptyList())
    assert (await crawl(hub)).complete == []
