"""Snapshots as they may be: what of them is read, and what of them does not fit in memory."""

import io
import random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from aiohttp import web

from collectors.backfill import remote, snapshots
from collectors.backfill.snapshots import Found, SnapshotError, read_snapshot
from collectors.http.client import Source
from collectors.http.errors import SourceError
from tests.collectors.backfill.hub import Cdn
from tests.collectors.quick import QUICK
from tests.collectors.scripted import scripted

WANTED = "acorn/Acorn-7B"


async def read(table: pa.Table, cdn: Cdn | None = None, **more: Any) -> Found:
    sink = io.BytesIO()
    pq.write_table(table, sink, **more)
    cdn = cdn or Cdn()
    cdn.files["/f"] = sink.getvalue()
    async with (
        scripted({"/f": cdn.answer}) as server,
        Source("hub", server.url, "HF_ENDPOINT", request_policy=QUICK) as hub,
    ):
        return await read_snapshot(hub, "/f", [WANTED], origin="hub-stats")


def repeated(id_: str, times: int, **columns: Any) -> pa.Table:
    """Return rows of one long id, which a dictionary holds once, and a last one of ours."""
    places = pa.array([0] * times + [1], pa.int32())
    ids = pa.DictionaryArray.from_arrays(places, pa.array([id_, WANTED]))
    return pa.table({"id": ids, "downloads": pa.array([1] * times + [7]), **columns})


async def test_long_id_of_many_rows_is_not_written_out_for_each() -> None:
    """It would take 200 GB."""
    found = await read(repeated("x" * 1_000_000, 200_000))
    assert {name: one.downloads_30d for name, one in found.counters.items()} == {WANTED: 7}
    assert found.bytes_read < 4_000_000


@pytest.mark.parametrize("limit", ["MOST_ROWS", "LARGEST_COLUMNS"])
async def test_row_group_that_is_too_large_is_not_read(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(snapshots, limit, 100)
    with pytest.raises(SnapshotError, match=r"/f has a row group of 201 rows and .* bytes"):
        await read(repeated("x" * 100, 200))


async def test_counters_that_are_no_numbers_are_named() -> None:
    likes = pa.array(["many"] * 3)
    with pytest.raises(SnapshotError, match="/f has a column likes of string, not of numbers"):
        await read(repeated("a/b", 2, likes=likes))


async def test_counter_that_is_null_everywhere_is_null() -> None:
    found = await read(repeated("a/b", 2, downloadsAllTime=pa.nulls(3)))
    one = found.counters[WANTED]
    assert (one.downloads_30d, one.downloads_all_time) == (7, None)


@pytest.mark.parametrize("dictionary", [True, False])
async def test_wanted_rows_are_found_past_the_first_batch(
    monkeypatch: pytest.MonkeyPatch, *, dictionary: bool
) -> None:
    monkeypatch.setattr(snapshots, "_BATCH_ROWS", 10)
    ids = [None if number == 5 else f"m/{number}" for number in range(95)] + [WANTED, "z/z"]
    table = pa.table({"id": ids, "downloads": list(range(97))})
    found = await read(table, use_dictionary=dictionary, row_group_size=60)
    assert {name: one.downloads_30d for name, one in found.counters.items()} == {WANTED: 95}


def fat(rows: int) -> pa.Array:
    return pa.array([random.randbytes(2000) for _ in range(rows)])


def snapshot(rows: int = 1000) -> pa.Table:
    """Return counters with columns between them that are most of the file."""
    ids = sorted([WANTED, *(f"m/{number:05}" for number in range(rows - 1))])
    count = list(range(rows))
    return pa.table(
        {
            "id": ids,
            "downloads": count,
            "gguf": fat(rows),
            "downloadsAllTime": count,
            "siblings": fat(rows),
            "likes": count,
        }
    )


def ranges(cdn: Cdn) -> list[tuple[int, int]]:
    asked = [one["Range"].removeprefix("bytes=").partition("-") for one in cdn.headers]
    return [(int(first), int(last)) for first, _, last in asked]


@pytest.mark.parametrize("row_group_size", [1000, 300])
async def test_what_lies_between_the_counters_is_not_read(row_group_size: int) -> None:
    cdn = Cdn()
    found = await read(snapshot(), cdn, row_group_size=row_group_size)
    assert found.counters[WANTED].model_dump() == {
        "id": WANTED,
        "downloads_all_time": 0,
        "downloads_30d": 0,
        "likes": 0,
        "created_at": None,
    }
    # Beside the columns it is a footer's worth of bytes that is read of any file.
    assert found.file_bytes > 4_000_000
    assert found.bytes_read < 256 * 1024 + 100_000
    assert found.bytes_read == cdn.sent


async def test_neighbouring_counters_are_one_request() -> None:
    cdn = Cdn()
    await read(snapshot().select(["gguf", "id", "downloads", "likes", "siblings"]), cdn)
    beyond_the_footer = [first for first, _ in ranges(cdn)[2:]]
    assert len(beyond_the_footer) == 2


async def test_a_server_that_heeds_no_ranges_from_the_end_is_read() -> None:
    cdn = Cdn()

    def whole(request: web.Request, body: bytes) -> Any:
        return web.Response(body=body) if "=-" in request.headers["Range"] else None

    cdn.misbehave = whole
    assert WANTED in (await read(snapshot(), cdn)).counters
    assert ranges(cdn)[0] == (0, 0)


async def test_long_columns_are_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_REQUEST_BYTES", 1_000)
    monkeypatch.setattr(remote, "_FOOTER_BYTES", 3_000)
    cdn = Cdn()
    found = await read(snapshot(), cdn, use_dictionary=False)
    assert found.counters[WANTED].likes == 0
    assert max(last - first for first, last in ranges(cdn)) < 1_000
    assert len(cdn.headers) > 10


async def test_a_footer_larger_than_memory_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_MOST_BYTES", 10_000)
    monkeypatch.setattr(remote, "_FOOTER_BYTES", 1_000)
    with pytest.raises(SourceError, match=r"a read of .* bytes, more than 10,000"):
        await read(pa.table({f"column-{n}": [1] for n in range(300)} | {"id": [WANTED]}))


async def test_a_refusal_that_is_longer_than_the_range_is_tried_again() -> None:
    cdn, answers = Cdn(), [web.Response(status=503, body=b"busy" * 1000)]
    cdn.misbehave = lambda _request, _body: answers.pop() if answers else None
    assert WANTED in (await read(snapshot(), cdn)).counters
