"""Answers that no source should give: each ends with its reason, in bounded memory."""

import gzip
import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import zstandard
from aiohttp import web

from breakout.contract.events import DeadLetter, ModelRecord
from breakout.contract.topics import DEAD_LETTERS, DOWNLOADS, MODELS
from breakout.kafka.status import count_published_observations
from breakout.registry.overrides import Overrides
from breakout.settings import Settings
from collectors.http.body import LARGEST_BODY
from collectors.http.client import Source
from collectors.http.errors import EmptyResponseError, SourceError, SourceRefusedError
from collectors.hub import listing
from collectors.hub.crawl import crawl
from collectors.publishing.publisher import key_of, open_publisher
from collectors.publishing.rejected_rows import RejectedRows
from collectors.sources import arena, artificial_analysis
from collectors.sources.openrouter import OpenRouterJob
from collectors.sources.registry import resolve_models
from tests.breakout.registry.lists import tracked_list
from tests.collectors.quick import QUICK
from tests.collectors.records import PARTITIONS, read_events
from tests.collectors.scripted import scripted
from tests.support.server_process import Broker

NOW = datetime(2026, 8, 22, 11, tzinfo=UTC)
HUB = "/api/models"


def at(url: str) -> Source:
    return Source("source", url, "SOURCE_URL", request_policy=QUICK)


async def test_gzip_bomb_is_rejected() -> None:
    zeros = gzip.compress(b"\0" * (LARGEST_BODY + 1))
    answer = web.Response(body=zeros, headers={"Content-Encoding": "gzip"})
    async with scripted({"/x": lambda _: answer}) as server, at(server.url) as source:
        with pytest.raises(SourceRefusedError, match="larger than 16 MiB"):
            await source.content("/x")
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip, gzip", gzip.compress(gzip.compress(b"[]"))),
        ("zstd", zstandard.compress(b"[]")),
    ],
    ids=["nested", "zstd"],
)
async def test_unsupported_content_encoding_is_rejected(coding: str, body: bytes) -> None:
    answer = web.Response(body=body, headers={"Content-Encoding": coding})
    async with scripted({"/x": lambda _: answer}) as server, at(server.url) as source:
        with pytest.raises(SourceRefusedError, match=f"unsupported Content-Encoding '{coding}'"):
            await source.json("/x")
        assert server.requests[0].headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize("link", ["http://[::1", "mailto:a@b"])
async def test_invalid_next_page_url_raises(link: str) -> None:
    answer = web.json_response([], headers={"Link": f'<{link}>; rel="next"'})
    async with scripted({"/x": lambda _: answer}) as server, at(server.url) as source:
        with pytest.raises(SourceError, match="next page is not a valid URL"):
            await source.json("/x")


@pytest.mark.parametrize("location", ["mailto:a@b", "http://xn--/x"])
async def test_invalid_redirect_url_raises(location: str) -> None:
    def answer(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": location})

    async with scripted({"/x": answer}) as server, at(server.url) as source:
        with pytest.raises(SourceError, match="a redirect to an invalid URL"):
            await source.json("/x")


async def test_endless_listing_is_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_PAGES", 3)
    number = itertools.count()

    def page(_request: web.Request) -> web.Response:
        now = next(number)
        headers = {"Link": f'<{HUB}?cursor={now}>; rel="next"'}
        return web.json_response([{"id": f"acorn/model-{now}"}], headers=headers)

    async with scripted({HUB: page}) as server, at(server.url) as hub:
        found = await crawl(hub, ["acorn"], ["acorn/model-0"])
    assert len(found.rows) == 4
    assert "does not end after 3 pages" in found.failures["acorn"]


async def test_endless_index_is_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artificial_analysis, "_MOST_PAGES", 3)
    page = {
        "intelligence_index_version": "4",
        "pagination": {"has_more": True, "total_pages": 10**18},
        "data": [{"slug": "again"}],
    }
    async with scripted({"/language/models/free": page}) as server, at(server.url) as source:
        with pytest.raises(EmptyResponseError, match="does not end after 3 pages"):
            await artificial_analysis.read_models(source)


async def test_too_long_leaderboard_is_rejected() -> None:
    page = {"rows": [{"row": {}}], "num_rows_total": 10**18}
    async with scripted({"/filter": page}) as server, at(server.url) as source:
        with pytest.raises(EmptyResponseError, match="exceed the limit of 100000"):
            await arena.read_leaderboard(source, "text", RejectedRows("arena", "arena"))


async def test_as_of_in_future_is_rejected() -> None:
    """Its `as_of` would stand before every later one."""
    answer = {
        "data": [{"date": "2026-08-21", "model_permaslug": "a/b", "total_tokens": "5"}],
        "meta": {"as_of": "2099-01-01T00:00:00Z", "start_date": "2026-08-21"},
    }
    async with scripted({"/datasets/rankings-daily": answer}) as server:
        settings = Settings(openrouter_base_url=server.url, openrouter_api_key="key")
        with pytest.raises(EmptyResponseError, match="as_of is in the future"):
            await OpenRouterJob(settings, request_policy=QUICK).collect(NOW)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"safetensors": {"total": 10**400}}, "safetensors.total"),
        ({"createdAt": "9999-12-31T23:59:59-01:00"}, "createdAt"),
        ({"createdAt": "1969-12-31T00:00:00Z"}, "createdAt: Value error, 1969-12-31 is not from"),
        ({"createdAt": "2149-12-31T00:00:00Z"}, "released_at: Value error, 2149-12-31 is not"),
    ],
)
async def test_invalid_model_is_missing_with_reason(changed: dict[str, Any], why: str) -> None:
    rows = [{"id": "cedar/Cedar-30B-A3B"} | changed, {"id": "birch/Birch-2B"}]
    body = json.dumps(rows)
    async with (
        scripted({HUB: lambda _: web.Response(text=body)}) as server,
        at(server.url) as hub,
    ):
        tracked = tracked_list()
        found = await crawl(hub, tracked.organisations, tracked.models)
    registry = resolve_models(found, tracked, Overrides({}, {}, {}, {}), observed_at=NOW)
    assert why in registry.missing["cedar/Cedar-30B-A3B"]
    assert [key_of(record) for record in registry.records] == ["birch/Birch-2B"]


async def test_record_beyond_kafka_limit_is_dead_letter(broker: Broker) -> None:
    settings = Settings(kafka_bootstrap_servers=broker.bootstrap, partitions=PARTITIONS)

    def records() -> Iterator[ModelRecord]:
        for name, bases in (("a/small", 1), ("a/large", 100_000), ("a/other", 1)):
            yield ModelRecord(
                model_id=name,
                observed_at=NOW,
                org="a",
                region=None,
                total_params_b=None,
                size_bin=None,
                released_at=None,
                base_models=[f"base/{number}" for number in range(bases)],
                tracked=True,
            )

    async with open_publisher(settings, give_up_after=20.0) as publisher:
        await publisher.publish(records())
        await publisher.flush()
    published = await read_events(broker.bootstrap, MODELS, ModelRecord)
    assert {one.model_id for one in published} == {"a/small", "a/other"}
    (letter,) = await read_events(broker.bootstrap, DEAD_LETTERS, DeadLetter)
    assert letter.topic == MODELS.name
    assert letter.error.startswith("key 'a/large': ")


async def test_invalid_record_does_not_stop_count_of_observations(broker: Broker) -> None:
    settings = Settings(kafka_bootstrap_servers=broker.bootstrap, partitions=PARTITIONS)
    async with open_publisher(settings, give_up_after=20.0) as publisher:
        await publisher._producer.send_and_wait(DOWNLOADS.name, b"poison", partition=0)
    assert await count_published_observations(settings) == 0
