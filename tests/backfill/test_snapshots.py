"""Snapshots made to fill memory: small as files, and gigabytes once they are written out."""

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from collectors.backfill import snapshots
from collectors.backfill.snapshots import Found, SnapshotError, read_snapshot
from collectors.http import Source
from tests.backfill.hub import Cdn
from tests.collectors.quick import QUICK
from tests.collectors.scripted import scripted

WANTED = "acorn/Acorn-7B"


async def read(table: pa.Table, **more: Any) -> Found:
    sink = io.BytesIO()
    pq.write_table(table, sink, **more)
    cdn = Cdn(files={"/f": sink.getvalue()})
    async with (
        scripted({"/f": cdn.answer}) as server,
        Source("hub", server.url, "HF_ENDPOINT", patience=QUICK) as hub,
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


@pytest.mark.parametrize("dictionary", [True, False])
async def test_wanted_rows_are_found_past_the_first_batch(
    monkeypatch: pytest.MonkeyPatch, *, dictionary: bool
) -> None:
    monkeypatch.setattr(snapshots, "_BATCH_ROWS", 10)
    ids = [None if number == 5 else f"m/{number}" for number in range(95)] + [WANTED, "z/z"]
    table = pa.table({"id": ids, "downloads": list(range(97))})
    found = await read(table, use_dictionary=dictionary, row_group_size=60)
    assert {name: one.downloads_30d for name, one in found.counters.items()} == {WANTED: 95}
