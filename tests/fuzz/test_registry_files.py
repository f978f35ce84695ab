"""Files of people and of the tracked list: read, or a clear error that names file and row."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import strategies as st

from breakout.contract.events import DownloadsSlice, read_event
from breakout.registry.names import read_names
from breakout.registry.overrides import read_overrides
from breakout.registry.table import RegistryFileError
from breakout.registry.tracked_list import CORRECTIONS_FILE, FILES, read_tracked_list
from collectors.backfill.observations_file import ObservationsFileError
from collectors.backfill.spool import scrapes, spool
from collectors.publishing.slices import split_scrape
from tests.breakout.registry.lists import contents
from tests.fuzz.effort import efforts, explore
from tests.fuzz.mutations import NUMBERS, STRINGS, damaged

NOW = datetime(2026, 11, 1, tzinfo=UTC)
CSV = (
    b"model_id,observed_at,downloads_all_time,downloads_30d,likes\n"
    b"a/b,2026-01-01,5,,2\nc/d,2026-02-01T12:00:00+02:00,9007199254740993,1,\n"
)
OVERRIDES = (
    b"model_id,field,value,reason,source\n"
    b"a/x,total_params_b,109,name,https://example.org\na/x,released_at,2025-04-05,post,x\n"
)
NAMES = b"source,name,open,model_id\narena,one,open,a/one\nopenrouter,b/two,closed,\n"


def parquet(**columns: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


PARQUET = parquet(
    model_id=["a/b", "c/d"],
    observed_at=pa.array([NOW, NOW], pa.timestamp("us", tz="UTC")),
    downloads_all_time=[1.0, None],
)

cells = st.one_of(st.sampled_from(STRINGS), st.sampled_from(NUMBERS).map(str), st.text(max_size=12))


def tables(original: bytes) -> st.SearchStrategy[bytes]:
    """The CSV file with fields replaced, or its bytes damaged."""
    lines = [line.split(b",") for line in original.rstrip(b"\n").split(b"\n")]

    def replaced(picks: list[tuple[int, int, str]]) -> bytes:
        rows = [list(line) for line in lines]
        for row, column, text in picks:
            fields = rows[row % len(rows)]
            fields[column % len(fields)] = text.encode("utf-8", "surrogatepass")
        return b"\n".join(b",".join(row) for row in rows) + b"\n"

    picks = st.lists(
        st.tuples(st.integers(1, 40), st.integers(0, 40), cells), min_size=1, max_size=3
    )
    return st.one_of(picks.map(replaced), picks.map(replaced), damaged([original]))


def use_file(path: Path, folder: Path) -> None:
    """Read it to the end and make the records that would be published."""
    try:
        spooled = spool(path, folder, now=NOW)
    except ObservationsFileError as error:
        reason = str(error)
        assert reason.startswith(str(path))
        return
    assert all(row.row >= 1 and row.reason for row in spooled.invalid)
    for scrape in scrapes(spooled, "huggingface", "file"):
        for _, piece in split_scrape(scrape, 2):
            assert read_event(DownloadsSlice, piece.to_bytes()) == piece


@efforts
@pytest.mark.parametrize(
    ("name", "contents"),
    [("mine.csv", tables(CSV)), ("mine.parquet", damaged([PARQUET]))],
    ids=["csv", "parquet"],
)
def test_observations_file_is_read_or_reports_why(
    tmp_path: Path, name: str, contents: st.SearchStrategy[bytes], effort: int
) -> None:
    def check(content: bytes) -> None:
        (tmp_path / name).write_bytes(content)
        use_file(tmp_path / name, tmp_path)

    explore(contents, check, examples=60, effort=effort)


ODD: list[pa.Array] = [
    pa.array(["a/b"]),
    pa.array(["a/b"]).dictionary_encode(),
    pa.array([b"\xff/b"]),
    pa.array([None], pa.null()),
    pa.array([True]),
    pa.array([2**63 - 1]),
    pa.array([2**64 - 1], pa.uint64()),
    pa.array([-1], pa.int8()),
    pa.array([1e300]),
    pa.array([float("nan")]),
    pa.array([float("inf")]),
    pa.array([0], pa.date32()),
    pa.array([2**40], pa.timestamp("ns")),
    pa.array([2**50], pa.timestamp("s", tz="UTC")),
    pa.array([0], pa.timestamp("s", tz="Europe/Berlin")),
    pa.array([5], pa.time64("us")),
    pa.array([[1]]),
    pa.array([{"a": 1}]),
    pa.array(["9" * 5000]),
    pa.array(["a/" + "b" * 5000]),
    pa.array(["a/\x00"]),
    pa.array(["a/b\u00a0c"]),
    pa.array(["2026-01-01T00:00:00+23:59"]),
    pa.array(["0001-01-01T00:00:00+14:00"]),
]


@efforts
def test_columns_of_any_type_are_read_or_refused(tmp_path: Path, effort: int) -> None:
    def check(columns: list[pa.Array]) -> None:
        names = ("model_id", "observed_at", "downloads_all_time", "likes")
        path = tmp_path / "mine.parquet"
        path.write_bytes(parquet(**dict(zip(names, columns, strict=True))))
        use_file(path, tmp_path)

    usual = [pa.array(["a/b"]), pa.array(["2026-01-01"]), pa.array([5]), pa.array([5])]
    for place in range(len(usual)):
        for column in ODD:
            check([*usual[:place], column, *usual[place + 1 :]])
    odd = st.tuples(*(st.sampled_from([one, *ODD]) for one in usual)).map(list)
    explore(odd, check, examples=30, effort=effort)


def read_list_with(file: str) -> Callable[[bytes], object]:
    def read(content: bytes) -> object:
        listed = read_tracked_list(contents() | {file: content})
        assert all(error.file == file and error.line > 0 for error in listed.errors)
        return listed

    return read


@efforts
@pytest.mark.parametrize(
    ("read", "original", "named"),
    [
        (lambda content: read_overrides(content, file="mine.csv"), OVERRIDES, "mine.csv"),
        (lambda content: read_names(content, file="mine.csv"), NAMES, "mine.csv"),
        *((read_list_with(file), contents()[file], file) for file in FILES),
    ],
    ids=["overrides", "names", *FILES],
)
def test_a_registry_file_is_read_or_says_where_it_is_wrong(
    read: Callable[[bytes], object], original: bytes, named: str, effort: int
) -> None:
    def check(content: bytes) -> None:
        try:
            read(content)
        except RegistryFileError as error:
            reason = str(error)
        else:
            return
        assert re.match(rf"{re.escape(named)}(, line \d+, \w+)?: \S", reason), reason
        reason.encode()

    assert read(original)
    explore(tables(original), check, examples=60, effort=effort)


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ("a/b\u00a0c", "model_id: must be organisation/name"),
        ("a/\x01", "model_id: must be organisation/name"),
        ("a/" + "b" * 256, "model_id: must be organisation/name"),
    ],
)
def test_observations_file_rejects_invalid_ids(tmp_path: Path, field: str, why: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f"model_id,observed_at,downloads_all_time\n{field},2026-01-01,5\n")
    spooled = spool(path, tmp_path, now=NOW)
    assert [row.reason.startswith(why) for row in spooled.invalid] == [True]


def test_observations_file_rejects_too_long_count(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    header = "model_id,observed_at,downloads_all_time\n"
    path.write_text(f"{header}a/b,2026-01-01,{'9' * 5000}\na/b,2026-01-02,{'0' * 5000}7\n")
    spooled = spool(path, tmp_path, now=NOW)
    assert [row.row for row in spooled.invalid] == [1]
    assert spooled.rows == 1


@pytest.mark.parametrize(
    "columns",
    [
        {"model_id": [["a/b"]]},
        {"model_id": [b"\xff/b"]},
        {"observed_at": [{"a": 1}]},
        {"downloads_all_time": [[5]]},
    ],
    ids=str,
)
def test_observations_file_of_other_types_names_file_and_rows(
    tmp_path: Path, columns: dict[str, Any]
) -> None:
    usual = {"model_id": ["a/b"], "observed_at": ["2026-01-01"], "downloads_all_time": [5]}
    path = tmp_path / "mine.parquet"
    path.write_bytes(parquet(**(usual | columns)))
    with pytest.raises(ObservationsFileError, match=r"mine\.parquet, rows 1 to 1: cannot be read"):
        spool(path, tmp_path, now=NOW)


def test_observations_file_with_repeated_column(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("model_id,observed_at,downloads_all_time,model_id\na/b,2026-01-01,5,c/d\n")
    with pytest.raises(ObservationsFileError, match="has a repeated column: model_id, model_id"):
        spool(path, tmp_path, now=NOW)


def test_an_own_file_whose_header_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(b"\x80" + CSV)
    with pytest.raises(ObservationsFileError, match=r"mine\.csv: cannot be read"):
        spool(path, tmp_path, now=NOW)


def test_release_dates_that_clickhouse_cannot_hold_are_left_out() -> None:
    wrong = (
        b"model_id,hf_created_at,actual_release_date,notes\nacorn/Acorn-7B,2025-08-04,9999-01-01,\n"
    )
    listed = read_tracked_list(contents() | {CORRECTIONS_FILE: wrong})
    assert not listed.corrections
    assert "from 1970 to 2149" in listed.errors[0].problem
