"""One scrape of the simulated Hub."""

import base64
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from breakout.contract.events import ModelRecord
from breakout.registry.overrides import Overrides
from breakout.settings import Settings
from breakout.simulation import Catalog, Model, Organisation, SimulatedClock, TruncatedListing
from collectors.http.errors import EmptyResponseError
from collectors.hub.crawl import SINGLE_REQUESTS, hub_source
from collectors.publishing.rejected_rows import RejectedRows
from collectors.publishing.slices import Scrape, split_scrape
from collectors.sources.huggingface import read_counters
from tests.collectors.hub_crawls import crawl_tracked
from tests.collectors.quick import QUICK
from tests.support.faulty_hub.faults import ErrorStatus, ExtraFields, MissingFields, WrongValues
from tests.support.faulty_hub.hub import FaultyHub

NOW = datetime(2026, 8, 22, 11, tzinfo=UTC)
TRACKED = [f"acorn/tiny-{i}B" for i in range(1, 6)]
OTHERS = [
    Model("acorn/fresh-8B", tracked_in=None, released_on=date(2026, 8, 1)),
    Model("acorn/fresh-8B-GGUF", tracked_in=None),
    Model("acorn/ear", tracked_in=None, pipeline_tag="automatic-speech-recognition"),
    Model("acorn/untagged-8B", tracked_in=None, pipeline_tag=None),
]


@pytest.fixture
async def hub() -> AsyncIterator[FaultyHub]:
    catalog = Catalog.of([*TRACKED, *OTHERS], organisations=[Organisation("acorn", "eu")])
    async with FaultyHub(catalog, clock=SimulatedClock(NOW)) as running:
        yield running


class Scraped(NamedTuple):
    scrape: Scrape
    discovered: Sequence[ModelRecord]
    rejected: RejectedRows


async def scrape(hub: FaultyHub) -> Scraped:
    found, tracked_list = await crawl_tracked(hub)
    collected = read_counters(found, tracked_list, Overrides(), observed_at=NOW)
    assert collected.scrape is not None
    return Scraped(collected.scrape, collected.discovered, collected.rejected)


def letters(found: Scraped) -> list[tuple[str, Any]]:
    return [
        (letter.error, json.loads(base64.b64decode(letter.value_base64)))
        for letter in found.rejected.letters
    ]


async def test_observes_tracked_models_and_those_meeting_policy(hub: FaultyHub) -> None:
    found = await scrape(hub)
    assert sorted(found.scrape.counters) == sorted([*TRACKED, "acorn/fresh-8B"])
    assert found.scrape.complete
    assert found.scrape.observed_at == NOW
    [record] = found.discovered
    assert (record.model_id, record.tracked, record.region) == ("acorn/fresh-8B", False, "eu")
    assert (record.size_bin, record.released_at) == ("7-9B", date(2025, 1, 1))
    async with hub_source(Settings(hf_endpoint=hub.url), request_policy=QUICK) as source:
        answer = await source.json(
            "/api/models/acorn/tiny-1B",
            [("expand[]", "downloads"), ("expand[]", "downloadsAllTime"), ("expand[]", "likes")],
        )
    one = found.scrape.counters["acorn/tiny-1B"]
    assert one.downloads_all_time == answer.content["downloadsAllTime"]
    assert one.downloads_30d == answer.content["downloads"]
    assert one.likes == answer.content["likes"]


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("downloads", -5, "downloads: Input should be greater than or equal to 0, got -5"),
        (
            "downloadsAllTime",
            2**63,
            "downloadsAllTime: Input should be less than or equal to 92233",
        ),
        ("downloadsAllTime", "12345", "downloadsAllTime: Input should be a valid integer, got '12"),
        ("downloadsAllTime", 12.5, "downloadsAllTime: Input should be a valid integer, got 12.5"),
        ("downloadsAllTime", True, "downloadsAllTime: Input should be a valid integer, got True"),
        ("likes", [1], "likes: Input should be a valid integer, got [1]"),
        ("likes", 10**30, "likes: Input should be less than or equal to 92233"),
    ],
)
async def test_invalid_counter_is_dead_letter(
    hub: FaultyHub, field: str, value: Any, why: str
) -> None:
    hub.faults.add(WrongValues(values={field: value}, models=["acorn/tiny-3B"]))
    found = await scrape(hub)
    assert sorted(found.scrape.counters) == sorted(
        [*(set(TRACKED) - {"acorn/tiny-3B"}), "acorn/fresh-8B"]
    )
    assert set(found.scrape.missing) == {"acorn/tiny-3B"}
    assert found.scrape.missing["acorn/tiny-3B"].startswith(f"invalid row: {why}")
    [(error, row)] = letters(found)
    assert error.startswith(f"acorn/tiny-3B: {why}")
    assert row["id"] == "acorn/tiny-3B"
    assert row[field] == value
    assert {"tags", "createdAt", "gated"} <= set(row)
    [letter] = found.rejected.letters
    assert (letter.topic, letter.component) == ("huggingface", "collector:huggingface")


@pytest.mark.parametrize("gone", ["downloads", "downloadsAllTime", "likes"])
async def test_a_missing_counter_is_null(hub: FaultyHub, gone: str) -> None:
    hub.faults.add(MissingFields(fields=[gone], models=["acorn/tiny-3B"]))
    found = await scrape(hub)
    assert found.scrape.complete
    one = found.scrape.counters["acorn/tiny-3B"].model_dump(by_alias=True)
    assert {name for name, value in one.items() if value is None} == {gone}


async def test_null_is_null(hub: FaultyHub) -> None:
    hub.faults.add(WrongValues(values={"downloadsAllTime": None}))
    found = await scrape(hub)
    assert {one.downloads_all_time for one in found.scrape.counters.values()} == {None}


async def test_young_model_without_all_time_counter_is_observed_by_its_30_day_counter() -> None:
    ages = {"acorn/new-1B": 29, "acorn/old-1B": 31, "acorn/counted-1B": 5}
    models = [Model(name, created_at=NOW - timedelta(days=age)) for name, age in ages.items()]
    async with FaultyHub(Catalog.of(models), clock=SimulatedClock(NOW)) as hub:
        hub.faults.add(
            WrongValues(
                values={"downloadsAllTime": None, "downloads": 700},
                models=["acorn/new-1B", "acorn/old-1B"],
            ),
            WrongValues(values={"downloadsAllTime": 50}, models=["acorn/counted-1B"]),
        )
        found = await scrape(hub)
    pieces = list(split_scrape(found.scrape, 4))
    rows = {
        model: (piece.origin, all_time)
        for _, piece in pieces
        for model, all_time in zip(piece.models, piece.downloads_all_time, strict=True)
    }
    assert rows == {
        "acorn/new-1B": ("live-30d", 700),
        "acorn/old-1B": ("live", None),
        "acorn/counted-1B": ("live", 50),
    }
    assert {piece.scrape_id for _, piece in pieces} == {found.scrape.scrape_id}


async def test_unknown_fields_are_ignored(hub: FaultyHub) -> None:
    plain = await scrape(hub)
    hub.faults.add(ExtraFields())
    assert (await scrape(hub)).scrape == plain.scrape


async def test_invalid_metadata_keeps_counter_of_tracked_model(hub: FaultyHub) -> None:
    hub.faults.add(WrongValues(values={"createdAt": "yesterday"}))
    found = await scrape(hub)
    assert set(found.scrape.counters) == set(TRACKED)
    # What nobody knows yet cannot be registered, and so is not observed.
    assert set(found.scrape.missing) == {"acorn/fresh-8B"}
    [(error, _)] = letters(found)
    assert error.startswith("acorn/fresh-8B: createdAt: Input should be a valid datetime")
    assert error.endswith("got 'yesterday'")


async def test_tag_of_wrong_type_is_ignored(hub: FaultyHub) -> None:
    hub.faults.add(WrongValues(values={"pipeline_tag": ["text-generation"]}))
    found = await scrape(hub)
    assert set(found.scrape.counters) == set(TRACKED)


async def test_rows_without_valid_id_are_dead_letters(hub: FaultyHub) -> None:
    hub.faults.add(WrongValues(values={"id": "two words"}, models=["acorn/ear"]))
    found = await scrape(hub)
    assert [(error, row["id"]) for error, row in letters(found)] == [
        ("a row in the listing of acorn has no valid id", "two words")
    ]
    assert found.scrape.complete


async def test_scrape_without_valid_counters_raises(hub: FaultyHub) -> None:
    hub.faults.add(WrongValues(values={"downloads": -1}))
    with pytest.raises(
        EmptyResponseError, match="no valid counters: invalid row: downloads: Input"
    ):
        await scrape(hub)


async def test_truncated_listing_leaves_models_missing_not_zero() -> None:
    names = [f"acorn/tiny-{number}B" for number in range(1, 201)]
    truncated = TruncatedListing(NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    catalog = Catalog.of(names, incidents=[truncated])
    async with FaultyHub(catalog, clock=SimulatedClock(NOW)) as hub:
        found = await scrape(hub)
    assert set(found.scrape.missing) == set(names) - set(found.scrape.counters)
    # A quarter is listed, and some are requested one by one.
    assert 200 * 0.6 - SINGLE_REQUESTS < len(found.scrape.missing) < 200 * 0.9 - SINGLE_REQUESTS
    assert all("not in its organisation's listing" in one for one in found.scrape.missing.values())
    assert not found.scrape.complete


async def test_partial_scrape_has_missing_models(hub: FaultyHub) -> None:
    async with FaultyHub(
        Catalog.of([*TRACKED, "birch/small-2B"]), clock=SimulatedClock(NOW)
    ) as two:
        two.faults.add(ErrorStatus(match="birch", status=503))
        found = await scrape(two)
    assert set(found.scrape.counters) == set(TRACKED)
    assert set(found.scrape.missing) == {"birch/small-2B"}
    assert "HTTP 503" in found.scrape.missing["birch/small-2B"]
    assert not found.scrape.complete
