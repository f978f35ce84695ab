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
from collectors.http import client as http
from collectors.http.client import Source, SourceError, SourceRefusedError
from collectors.hub import survey as hub
from collectors.hub.survey import survey
from collectors.publishing import rejection_limit as unreadable
from collectors.publishing.rejection_limit import MOST_IN_A_ROW, MOST_KEPT, GivenUpError, Unreadable
from collectors.scheduling.job import EmptyAnswerError, Outcome
from collectors.scheduling.report import summary
from collectors.sources.arena import read_board
from collectors.sources.artificial_analysis import read_models
from collectors.sources.derivatives import survey_derivatives
from collectors.sources.modelscope import survey_modelscope
from collectors.sources.openrouter import OpenRouterJob
from tests.collectors.quick import QUICK
from tests.collectors.scripted import Scripted, scripted

NOW = datetime(2026, 8, 22, 11, tzinfo=UTC)
HUB = "/api/models"
MODEL = "acorn/Acorn-7B"


def at(server: Scripted) -> Source:
    return Source("source", server.url, "SOURCE_URL", patience=QUICK)


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
async def test_answer_that_grows_in_memory_is_not_parsed(body: bytes, why: str) -> None:
    async with scripted({HUB: compressed(body)}) as server, at(server) as source:
        with pytest.raises(SourceError, match=why):
            await source.json(HUB)


async def test_cut_compression_is_broken() -> None:
    body = gzip.compress(b"[" + b"1," * 100_000 + b"1]")[:-20]
    async with scripted({HUB: zipped(body)}) as server, at(server) as source:
        with pytest.raises(SourceError, match="compression is broken"):
            await source.json(HUB)


async def test_several_compressed_members_are_one_answer() -> None:
    body = gzip.compress(b"[1,") + gzip.compress(b"2]")
    async with scripted({HUB: zipped(body)}) as server, at(server) as source:
        assert (await source.json(HUB)).content == [1, 2]


async def test_giant_headers_end_with_their_reason() -> None:
    def answer(_request: web.Request) -> web.Response:
        return web.Response(text="[]", headers={"X-Long": "x" * 500_000})

    async with scripted({HUB: answer}) as server, at(server) as source:
        with pytest.raises(SourceError, match="the connection broke"):
            await source.json(HUB)


async def test_range_is_no_larger_than_asked() -> None:
    def more(_request: web.Request) -> web.Response:
        headers = {"Content-Range": "bytes 0-99/100"}
        return web.Response(status=206, body=b"x" * 100_000, headers=headers)

    async with scripted({"/f": more}) as server, at(server) as source:
        with pytest.raises(SourceRefusedError, match="larger than 100 bytes"):
            await source.range("/f", 0, 100)
        with pytest.raises(SourceError, match="of it at once, more than 64 MiB"):
            await source.range("/f", 0, http.LARGEST_PART + 1)


async def test_listing_of_the_hub_is_given_up() -> None:
    rows = [{"id": MODEL}, *([{}] * 5000)]
    async with scripted({HUB: rows}) as server, at(server) as source:
        found = await survey(source, ["acorn"], [MODEL])
    assert list(found.rows) == [MODEL]
    assert f"given up after {MOST_IN_A_ROW} rows in a row" in found.troubles["acorn"]
    assert "check SOURCE_URL" in found.troubles["acorn"]
    assert len(found.unreadable.letters) == MOST_IN_A_ROW


async def test_unreadable_rows_between_others_do_not_end_a_listing() -> None:
    rows: list[Any] = []
    for number in range(MOST_KEPT + 50):
        rows += [{"id": f"acorn/m{number}"}, {"no": "id"}]
    async with scripted({HUB: rows}) as server, at(server) as source:
        found = await survey(source, ["acorn"], [MODEL])
    assert len(found.rows) == MOST_KEPT + 50
    assert found.troubles == {}
    assert (len(found.unreadable.letters), found.unreadable.not_kept) == (MOST_KEPT, 50)


async def test_page_of_far_more_rows_than_asked_for_is_given_up() -> None:
    rows = [{"id": f"acorn/m{number}"} for number in range(10 * hub.PAGE + 1)]
    async with scripted({HUB: rows}) as server, at(server) as source:
        with pytest.raises(EmptyAnswerError, match="10,001 rows, 1,000 were asked for"):
            await survey(source, ["acorn"], [MODEL])


async def test_pages_that_fill_memory_together_are_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub, "MOST_VALUES", 1000)

    def page(request: web.Request) -> web.Response:
        number = int(request.query.get("cursor", "0")) + 1
        rows = [{"id": f"acorn/m{number}", "tags": [0] * 300}]
        return web.json_response(rows, headers={"Link": f"<?cursor={number}>; rel=next"})

    async with scripted({HUB: page}) as server, at(server) as source:
        found = await survey(source, ["acorn"], [MODEL])
    assert len(found.rows) == 3
    assert "one survey have more than 1,000 values" in found.troubles["acorn"]


async def test_derivatives_of_a_base_are_given_up() -> None:
    rows = [{"id": "a/child"}, *([{}] * 5000)]
    async with scripted({HUB: rows}) as server, at(server) as source:
        with pytest.raises(EmptyAnswerError, match="given up after 100 rows in a row"):
            await survey_derivatives(source, [MODEL], requests=10)


async def test_modelscope_is_given_up() -> None:
    rows = [{"id": MODEL, "downloads": 1}, *([{}] * 499)]
    page = {"success": True, "data": {"models": rows, "total_count": 500}}
    async with scripted({"/openapi/v1/models": page}) as server, at(server) as source:
        found = await survey_modelscope(source, [MODEL], {})
    assert found.counters[MODEL].downloads_all_time == 1
    assert "given up after 100 rows in a row" in found.troubles["acorn"]
    assert len(found.unreadable.letters) == MOST_IN_A_ROW


async def test_openrouter_is_given_up() -> None:
    answer = {
        "data": [{}] * 5000,
        "meta": {"as_of": "2026-08-22T00:00:00Z", "start_date": "2026-08-21"},
    }
    async with scripted({"/datasets/rankings-daily": answer}) as server:
        settings = Settings(openrouter_base_url=server.url, openrouter_api_key="key")
        with pytest.raises(GivenUpError, match="given up after 100 rows in a row"):
            await OpenRouterJob(settings, patience=QUICK).collect(NOW)


async def test_artificial_analysis_is_given_up() -> None:
    page = {
        "intelligence_index_version": "4",
        "pagination": {"has_more": False, "total_pages": 1},
        "data": [{}] * 1500,
    }
    async with scripted({"/language/models/free": page}) as server, at(server) as source:
        with pytest.raises(GivenUpError, match="given up after 100 rows in a row"):
            await read_models(source)


async def test_arena_is_given_up() -> None:
    page = {"rows": [{"row": {}}] * 500, "num_rows_total": 500}
    async with scripted({"/filter": page}) as server, at(server) as source:
        with pytest.raises(GivenUpError, match="given up after 100 rows in a row"):
            await read_board(source, "text", Unreadable("arena", "arena"))


def test_dead_letters_are_bounded_in_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unreadable, "LARGEST_KEPT", 100_000)
    rows = Unreadable("hub", "hub")
    for _ in range(10):
        rows.add({"text": "x" * 60_000}, "why")
    assert (len(rows.letters), rows.not_kept) == (2, 8)


def test_deep_or_giant_row_is_a_dead_letter() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    rows = Unreadable("hub", "hub")
    rows.add(deep, "why")
    rows.add({"text": "x" * 2_000_000}, "why")
    assert rows.letters[0].error == "why (it is nested too deeply to be kept)"
    assert all(len(one.value_base64) < 1_000_000 for one in rows.letters)


def test_rows_that_were_not_kept_are_said() -> None:
    outcome = Outcome("hub", NOW, {"models": 1}, 1, dead_letters=1000, not_kept=7)
    assert not outcome.complete
    assert "(7 more unreadable rows that were not kept)" in summary(outcome)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("a,b\n" + "x\n" * 5000, rf"list\.csv: has {MAX_ERRORS:,} invalid rows or more"),
        ("a,b\n" + "\n" * (MAX_LINES + 1), r"list\.csv: has more than 100,000 lines"),
    ],
)
def test_file_of_the_list_is_given_up(content: str, why: str) -> None:
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
    assert len(page) < http.LARGEST_ANSWER / 8
    assert http._values(page.encode()) < http.MOST_VALUES / 5
