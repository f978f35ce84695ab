"""Backfill from a file of one's own: any order, every kind of wrong row."""

import gzip
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from collectors.backfill import observations_file
from collectors.backfill import spool as spool_module
from collectors.backfill.observations_file import ObservationsFileError
from collectors.backfill.spool import scrapes, spool

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HEADER = "model_id,observed_at,downloads_all_time,downloads_30d,likes\n"


def read(path: Path, folder: Path) -> tuple[list[tuple[Any, ...]], dict[int, str]]:
    """Return (moment, model, all time, 30 days, likes), and wrong rows by their number."""
    folder.mkdir(exist_ok=True)
    spooled = spool(path, folder, now=NOW)
    rows = [
        (scrape.observed_at, model, one.downloads_all_time, one.downloads_30d, one.likes)
        for scrape in scrapes(spooled, "huggingface", "file")
        for model, one in scrape.counters.items()
    ]
    return rows, {one.row: one.reason for one in spooled.invalid}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_csv_is_sorted_by_moment(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(
        "note,likes,model_id,downloads_all_time,observed_at\n"
        "x,,a/b,9007199254740993,2026-02-01T12:00:00+02:00\n"
        "y,7,c/d,5,2026-01-01\n"
        "z,,a/b,,2026-01-01T00:00:00Z\n"
    )
    rows, wrong = read(file, tmp_path / "spool")
    assert rows == [
        (at("2026-01-01T00:00:00Z"), "a/b", None, None, None),
        (at("2026-01-01T00:00:00Z"), "c/d", 5, None, 7),
        (at("2026-02-01T10:00:00Z"), "a/b", 2**53 + 1, None, None),
    ]
    assert wrong == {}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("ab,2026-01-01,1,,", "model_id: must be organisation/name, got 'ab'"),
        (",2026-01-01,1,,", "model_id: must be organisation/name, got None"),
        ("a/b,yesterday,1,,", "observed_at: must be a time such as"),
        ("a/b,,1,,", "observed_at: is missing"),
        ("a/b,2026-01-01T10:00:00,1,,", "observed_at: must have a time zone, such as 2026"),
        ("a/b,2027-01-01,1,,", "observed_at: must be between 1970 and now"),
        ("a/b,1969-12-31,1,,", "observed_at: must be between 1970 and now"),
        ("a/b,2026-01-01,-1,,", "downloads_all_time: must be an integer from 0, got '-1'"),
        ("a/b,2026-01-01,1.5,,", "downloads_all_time: must be an integer"),
        ("a/b,2026-01-01,1e-1,,", "downloads_all_time: must be an integer"),
        ("a/b,2026-01-01,1.5e+00,,", "downloads_all_time: must be an integer"),
        ("a/b,2026-01-01,1e+19,,", "downloads_all_time: must be an integer"),
        ("a/b,2026-01-01,1e+999999999,,", "downloads_all_time: must be an integer"),
        ("a/b,2026-01-01,9223372036854775808,,", "downloads_all_time: must be an integer"),
        ("a/b,2026-01-01,1,many,", "downloads_30d: must be an integer"),
        ("a/b,2026-01-01,1,,NaN", "likes: must be an integer"),
    ],
)
def test_invalid_row_is_skipped(tmp_path: Path, row: str, why: str) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(f"{HEADER}x/y,2026-01-01,1,,\n{row}\nx/y,2026-01-02,2.0,,\n")
    rows, wrong = read(file, tmp_path / "spool")
    assert [one[2] for one in rows] == [1, 2]
    assert list(wrong) == [2]
    assert why in wrong[2]


def test_young_models_are_known_by_their_creation(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(
        "model_id,observed_at,downloads_all_time,downloads_30d,Created_At\n"
        "a/young,2024-09-20,,5,2024-09-01T12:00:00+02:00\n"
        "a/old,2024-09-20,,6,2024-08-01\n"
        "a/unknown,2024-09-20,,7,\n"
        "a/counted,2024-09-20,8,3,2024-09-01\n"
        "a/twice,2024-09-20,,9,2024-09-01\n"
        "a/twice,2024-09-20,,2,2024-01-01\n"
        "a/wrong,2024-09-20,,5,yesterday\n"
        "a/no-zone,2024-09-20,,5,2024-09-01T12:00:00\n"
    )
    (tmp_path / "spool").mkdir()
    spooled = spool(file, tmp_path / "spool", now=NOW)
    [scrape] = scrapes(spooled, "huggingface", "file")
    assert scrape.young == {"a/young"}
    totals = {model: one.total(scrape.observed_at) for model, one in scrape.counters.items()}
    assert totals == {
        "a/young": 5, "a/old": None, "a/unknown": None, "a/counted": 8, "a/twice": None,
    }  # fmt: skip
    assert [(one.row, one.reason.partition(",")[0]) for one in spooled.invalid] == [
        (7, "created_at: must be a time such as 2026-08-22T11:00:00Z or a date"),
        (8, "created_at: must have a time zone"),
    ]


def test_blank_creation_of_a_parquet_file_is_null(tmp_path: Path) -> None:
    columns = {
        "model_id": ["a/b"], "observed_at": ["2026-01-01"], "downloads_all_time": [1],
        "created_at": [" "],
    }  # fmt: skip
    pq.write_table(pa.table(columns), tmp_path / "mine.parquet")
    assert read(tmp_path / "mine.parquet", tmp_path / "spool")[1] == {}


def test_the_greatest_count_that_fits_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(f"{HEADER}a/b,2026-01-01,9223372036854775807,,\n")
    rows, _ = read(file, tmp_path / "spool")
    assert rows[0][2] == 2**63 - 1


def test_of_rows_with_one_key_the_greater_counts_stay(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(f"{HEADER}a/b,2026-01-01,5,,2\na/b,2026-01-01,,9,1\n")
    rows, _ = read(file, tmp_path / "spool")
    assert [one[2:] for one in rows] == [(5, 9, 2)]


def table(days: int) -> pa.Table:
    moments = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(days)]
    return pa.table(
        {
            "model_id": ["a/b"] * days,
            "observed_at": pa.array(moments, pa.timestamp("us", tz="UTC")),
            "downloads_all_time": pa.array([float(n) if n else None for n in range(days)]),
        }
    )


def test_a_parquet_file_is_read_like_a_csv(tmp_path: Path) -> None:
    pq.write_table(table(3), tmp_path / "mine.parquet")
    rows, wrong = read(tmp_path / "mine.parquet", tmp_path / "spool")
    assert [(one[0].date(), one[2]) for one in rows] == [
        (date(2026, 1, 1), None),
        (date(2026, 1, 2), 1),
        (date(2026, 1, 3), 2),
    ]
    assert wrong == {}


def test_a_compressed_csv_is_read_too(tmp_path: Path) -> None:
    (tmp_path / "mine.csv.gz").write_bytes(gzip.compress(f"{HEADER}a/b,2026-01-01,5,,\n".encode()))
    assert len(read(tmp_path / "mine.csv.gz", tmp_path / "spool")[0]) == 1


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("mine.csv", "model,time\na/b,2026-01-01\n", "has no column model_id, observed_at, downl"),
        ("mine.csv", "", "cannot be read"),
        ("mine.csv", f"{HEADER}a/b,2026-01-01\n", "cannot be read"),
        ("mine.parquet", "no parquet", "cannot be read"),
        ("mine.txt", HEADER, r"must end in \.csv, \.csv\.gz or \.parquet"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_it_needs(
    tmp_path: Path, name: str, text: str, why: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ObservationsFileError, match=rf"{name}: .*{why}"):
        read(tmp_path / name, tmp_path / "spool")
    with pytest.raises(ObservationsFileError, match="no such file"):
        read(tmp_path / "none.csv", tmp_path / "spool")


def test_any_order_and_any_size_of_a_month_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        f"org/m{model},{date(2026, 1, 1) + timedelta(days=day)},{day * 10 + model},,"
        for model in range(20)
        for day in range(70)
    ]
    (tmp_path / "sorted.csv").write_text(HEADER + "\n".join(lines) + "\n")
    random.Random(1).shuffle(lines)
    (tmp_path / "shuffled.csv").write_text(HEADER + "\n".join(lines) + "\n")
    expected = read(tmp_path / "sorted.csv", tmp_path / "one")
    monkeypatch.setattr(spool_module, "_MOST_ROWS", 50)
    assert read(tmp_path / "shuffled.csv", tmp_path / "other") == expected
    assert [row[0] for row in expected[0]] == sorted(row[0] for row in expected[0])
    assert len(expected[0]) == 1400


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_quoted_line_breaks_are_read_across_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(observations_file, "_LONGEST_ROW", 4096)
    card = ending.join(['A line, with a comma and a ""quotation""'] * 20)
    lines = ["model_id,card,observed_at,downloads_all_time"]
    lines += [f'a/b,"{card}",{date(2026, 1, 1) + timedelta(days=day)},{day}' for day in range(90)]
    (tmp_path / "mine.csv").write_text("".join(f"{line}{ending}" for line in lines), newline="")
    rows, wrong = read(tmp_path / "mine.csv", tmp_path / "spool")
    assert [row[2] for row in rows] == list(range(90))
    assert wrong == {}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("1e+05", 100_000),
        ("1e5", 100_000),
        ("1E+05", 100_000),
        ("1.5e+06", 1_500_000),
        ("1.234567e+06", 1_234_567),
        ("9e+18", 9 * 10**18),
        ("0e+00", 0),
        ('"1e+05"', 100_000),
        ("NA", None),
    ],
)
def test_counts_as_r_writes_them_are_exact(tmp_path: Path, text: str, count: int | None) -> None:
    (tmp_path / "mine.csv").write_text(f"{HEADER}a/b,2026-01-01,{text},,\n")
    rows, wrong = read(tmp_path / "mine.csv", tmp_path / "spool")
    assert ([row[2] for row in rows], wrong) == ([count], {})


def test_inexact_float_is_no_count(tmp_path: Path) -> None:
    columns = {"model_id": ["a/b"], "observed_at": ["2026-01-01"], "downloads_all_time": [1e16]}
    pq.write_table(pa.table(columns), tmp_path / "mine.parquet")
    rows, wrong = read(tmp_path / "mine.parquet", tmp_path / "spool")
    assert rows == []
    assert "got '1e+16 as a float'" in wrong[1]


@pytest.mark.parametrize("name", ["mine.csv", "MINE.CSV", "mine.parquet"])
def test_columns_are_known_in_any_case(tmp_path: Path, name: str) -> None:
    columns = {"Model_ID": ["a/b"], "OBSERVED_AT": ["2026-01-01"], " Downloads_All_Time": ["5"]}
    table = pa.table({**columns, "Likes": ["7"]})
    if name.endswith("parquet"):
        pq.write_table(table, tmp_path / name)
    else:
        pa_csv.write_csv(table, tmp_path / name)
    rows, wrong = read(tmp_path / name, tmp_path / "spool")
    assert ([row[2:] for row in rows], wrong) == ([(5, None, 7)], {})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (HEADER.encode(), "has no rows after its header"),
        (HEADER.replace(",", ";").encode(), "its columns are separated by semicolons"),
        (HEADER.replace(",", "\t").encode(), "its columns are separated by tabs"),
        (HEADER.encode("utf-16"), "is UTF-16: save it as UTF-8"),
        (HEADER.replace("likes", "likes,Likes").encode(), "repeated column: likes, Likes"),
        (b"\xef\xbb\xbf" + HEADER.encode(), "has no rows after its header"),
    ],
    ids=["no row", "semicolons", "tabs", "UTF-16", "twice", "BOM"],
)
def test_unusable_csv_names_its_fault(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "mine.csv").write_bytes(content)
    with pytest.raises(ObservationsFileError, match=why):
        read(tmp_path / "mine.csv", tmp_path / "spool")


def test_unclosed_quote_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observations_file, "_LONGEST_ROW", 4096)
    rows = "a/b,2026-01-01,5,,\n" * 500
    (tmp_path / "mine.csv").write_text(f'{HEADER}"a/b,2026-01-01,5,,\n{rows}')
    with pytest.raises(ObservationsFileError, match="a quote is not closed"):
        read(tmp_path / "mine.csv", tmp_path / "spool")
