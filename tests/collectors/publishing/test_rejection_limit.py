"""Answers made to fill memory or the dead-letter topic: each source is given up, and says so.

The answers are small on the way and would be gigabytes as objects; `tracemalloc` would slow them
down, so what is checked is that they are refused before they are parsed, or after so many rows.
"""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from breakout.registry.table import MAX_ERRORS, MAX_LINES, RegistryFileError, read_table
from breakout.settings import Settings
from collectors.http import body
from collectors.http.client import Source
from collectors.http.errors import EmptyResponseError, SourceError, SourceRefusedError
from collectors.hub import crawl as hub
from collectors.hub.crawl import crawl
from collectors.publishing import rejected_rows
from collectors.publishing.rejected_rows import MOST_LETTERS, RejectedRows
from collectors.publishing.rejection_limit import MOST_CONSECUTIVE, RejectionLimitError
from collectors.scheduling.outcome import Outcome
from collectors.scheduling.report import summary
from collectors.sources.arena import read_leaderboard
from collectors.sources.artificial_analysis import read_models
from collectors.sources.derivatives import crawl_derivatives
from collectors.sources.modelscope import list_models
from collectors.sources.openrouter import OpenRouterJob
from tests.collectors.quick import QUICK
from tests.collectors.scripted import Scripted, scripted

NOW = datetime(2026, 8, 22, 11, tzinfo=UTC)
HUB = "/api/models"
MODEL = "acorn/Acorn-7B"


def at(server: Scripted) -> Source:
    return Source("source", server.url, "SOURCE_URL", request_policy=QUICK)


def compressed(body: bytes) -> Callable[[web.Request], web.Response]:
    return zipped(gzip.compress(body))


def zipped(body: bytes) -> Callable[[web.Request], web.Response]:
    return lambda _: web.Response(body=body, headers={"Content-Encoding": "gzip"})


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"[" + b"{}," * 2_000_000 + b"{}]", "more than 1,000,000 values"),
        (b"[" * 2_000_000, "more than 1,000,000 values"),
        (b'[{"id":"a/b","tags":[' + b"1," * 1_500_000 + b"1]}]", "more than 1,000,000 values"),
        (b'[{"id":"' + b"x" * (17 << 20) + b'"}]', "larger than 16 MiB"),
        (b" " * (17 << 20) + b"[]", "larger than 16 MiB"),
        (b"[" * 50_000 + b"]" * 50_000, "nested too deeply"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested too deeply"),
    ],
    ids=["rows", "unclosed", "one row", "one text", "blanks", "deep lists", "deep objects"],
)
async def test_response_exceeding_limits_is_not_parsed(body: bytes, why: str) -> None:
    async with scripted({HUB: compressed(body)}) as server, at(server) as source:
        with pytest.raises(SourceError, match=why):
            await source.json(HUB)


async def test_truncated_gzip_is_corrupt() -> None:
    body = gzip.compress(b"[" + b"1," * 100_000 + b"1]")[:-20]
    async with scripted({HUB: zipped(body)}) as server, at(server) as source:
        with pytest.raises(SourceError, match="compression is corrupt"):
            await source.json(HUB)


async def test_gzip_members_are_one_response() -> None:
    body = gzip.compress(b"[1,") + gzip.compress(b"2]")
    async with scripted({HUB: zipped(body)}) as server, at(server) as source:
        assert (await source.json(HUB)).content == [1, 2]


async def test_giant_headers_raise() -> None:
    def answer(_request: web.Request) -> web.Response:
        return web.Response(text="[]", headers={"X-Long": "x" * 500_000})

    async with scripted({HUB: answer}) as server, at(server) as source:
        with pytest.raises(SourceError, match="the connection broke"):
            await source.json(HUB)


async def test_range_is_no_larger_than_requested() -> None:
    def more(_request: web.Request) -> web.Response:
        headers = {"Content-Range": "bytes 0-99/100"}
        return web.Response(status=206, body=b"x" * 100_000, headers=headers)

    async with scripted({"/f": more}) as server, at(server) as source:
        with pytest.raises(SourceRefusedError, match="larger than 100 bytes"):
            await source.range("/f", 0, 100)
        with pytest.raises(SourceError, match=r"a range of .* more than 64 MiB"):
            await source.range("/f", 0, body.LARGEST_RANGE + 1)


async def test_listing_of_hub_is_abandoned() -> None:
    rows = [{"id": MODEL}, *([{}] * 5000)]
    async with scripted({HUB: rows}) as server, at(server) as source:
        found = await crawl(source, ["acorn"], [MODEL])
    assert list(found.rows) == [MODEL]
    assert f"abandoned after {MOST_CONSECUTIVE} consecutive invalid rows" in found.failures["acorn"]
    assert "check SOURCE_URL" in found.failures["acorn"]
    assert len(found.rejected.letters) == MOST_CONSECUTIVE


async def test_invalid_rows_between_others_do_not_end_listing() -> None:
    rows: list[Any] = []
    for number in range(MOST_LETTERS + 50):
        rows += [{"id": f"acorn/m{number}"}, {"no": "id"}]
    async with scripted({HUB: rows}) as server, at(server) as source:
        found = await crawl(source, ["acorn"], [MODEL])
    assert len(found.rows) == MOST_LETTERS + 50
    assert found.failures == {}
    assert (len(found.rejected.letters), found.rejected.dropped) == (MOST_LETTERS, 50)


async def test_oversized_page_is_abandoned() -> None:
    rows = [{"id": f"acorn/m{number}"} for number in range(10 * hub.PAGE_ROWS + 1)]
    async with scripted({HUB: rows}) as server, at(server) as source:
        with pytest.raises(EmptyResponseError, match="10,001 rows, 1,000 were requested"):
            await crawl(source, ["acorn"], [MODEL])


async def test_pages_exceeding_memory_are_abandoned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub, "MOST_VALUES", 1000)

    def page(request: web.Request) -> web.Response:
        number = int(request.query.get("cursor", "0")) + 1
        rows = [{"id": f"acorn/m{number}", "tags": [0] * 300}]
        return web.json_response(rows, headers={"Link": f"<?cursor={number}>; rel=next"})

    async with scripted({HUB: page}) as server, at(server) as source:
        found = await crawl(source, ["acorn"], [MODEL])
    assert len(found.rows) == 3
    assert "one crawl have more than 1,000 values" in found.failures["acorn"]


async def test_derivatives_of_base_are_abandoned() -> None:
    rows = [{"id": "a/child"}, *([{}] * 5000)]
    async with scripted({HUB: rows}) as server, at(server) as source:
        with pytest.raises(EmptyResponseError, match="abandoned after 100 consecutive"):
            await crawl_derivatives(source, [MODEL], requests=10)


async def test_modelscope_is_abandoned() -> None:
    rows = [{"id": MODEL, "downloads": 1}, *([{}] * 499)]
    page = {"success": True, "data": {"models": rows, "total_count": 500}}
    async with scripted({"/openapi/v1/models": page}) as server, at(server) as source:
        found = await list_models(source, [MODEL], {})
    assert found.counters[MODEL].downloads_all_time == 1
    assert "abandoned after 100 consecutive invalid rows" in found.failures["acorn"]
    assert len(found.rejected.letters) == MOST_CONSECUTIVE


async def test_openrouter_is_abandoned() -> None:
    answer = {
        "data": [{}] * 5000,
        "meta": {"as_of": "2026-08-22T00:00:00Z", "start_date": "2026-08-21"},
    }
    async with scripted({"/datasets/rankings-daily": answer}) as server:
        settings = Settings(openrouter_base_url=server.url, openrouter_api_key="key")
        with pytest.raises(RejectionLimitError, match="abandoned after 100 consecutive"):
            await OpenRouterJob(settings, request_policy=QUICK).collect(NOW)


async def test_artificial_analysis_is_abandoned() -> None:
    page = {
        "intelligence_index_version": "4",
        "pagination": {"has_more": False, "total_pages": 1},
        "data": [{}] * 1500,
    }
    async with scripted({"/language/models/free": page}) as server, at(server) as source:
        with pytest.raises(RejectionLimitError, match="abandoned after 100 consecutive"):
            await read_models(source)


async def test_arena_is_abandoned() -> None:
    page = {"rows": [{"row": {}}] * 500, "num_rows_total": 500}
    async with scripted({"/filter": page}) as server, at(server) as source:
        with pytest.raises(RejectionLimitError, match="abandoned after 100 consecutive"):
            await read_leaderboard(source, "text", RejectedRows("arena", "arena"))


def test_dead_letters_are_bounded_in_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejected_rows, "MOST_BYTES", 100_000)
    rows = RejectedRows("hub", "hub")
    for _ in range(10):
        rows.add({"text": "x" * 60_000}, "why")
    assert (len(rows.letters), rows.dropped) == (2, 8)


def test_deep_or_giant_row_is_a_dead_letter() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    rows = RejectedRows("hub", "hub")
    rows.add(deep, "why")
    rows.add({"text": "x" * 2_000_000}, "why")
    assert rows.letters[0].error == "why (nested too deeply to be stored)"
    assert all(len(one.value_base64) < 1_000_000 for one in rows.letters)


def test_dropped_rows_are_reported() -> None:
    outcome = Outcome("hub", NOW, {"models": 1}, 1, dead_letters=1000, dropped=7)
    assert not outcome.complete
    assert "(7 more invalid rows dropped)" in summary(outcome)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("a,b\n" + "x\n" * 5000, rf"list\.csv: has {MAX_ERRORS:,} invalid rows or more"),
        ("a,b\n" + "\n" * (MAX_LINES + 1), r"list\.csv: has more than 100,000 lines"),
    ],
)
def test_file_of_tracked_list_is_abandoned(content: str, why: str) -> None:
    with pytest.raises(RegistryFileError, match=why):
        read_table("list.csv", content.encode(), ("a", "b"), dict, key=("a",))


def test_giant_line_of_the_list_is_a_wrong_row() -> None:
    content = f"a,b\n1,2\n3,{'x' * 200_000}\n4,5\n".encode()
    table = read_table("list.csv", content, ("a", "b"), dict, key=("a",))
    assert [row["a"] for row in table.rows] == ["1", "4"]
    assert "at most 100,000 characters" in str(table.errors[0])


def test_json_of_the_largest_page_is_read() -> None:
    """A page of the Hub as large as they come is far below the limits."""
    tags = [f"tag-{number}" for number in range(100)]
    page = json.dumps([{"id": f"a/{number}", "tags": tags} for number in range(1000)])
    assert len(page) < body.LARGEST_BODY / 8
    assert body.count_values(page.encode()) < body.MOST_VALUES / 5
