"""Reading records: what is refused, and what the error says."""

import json
import tracemalloc
from datetime import UTC, datetime
from typing import Any

import pytest

from breakout.contract import ContractError, DailySlice, DownloadsSlice, ModelRecord, read_event
from breakout.contract.topics import TOPICS, partition_of

SLICE: dict[str, Any] = {
    "source": "huggingface",
    "scrape_id": "huggingface:2026-08-22T06:00:00Z",
    "observed_at": "2026-08-22T06:00:00Z",
    "models": ["a/one", "b/two"],
    "downloads_all_time": [9007199254740993, None],
    "downloads_30d": [1, 2],
    "likes": [0, 0],
}
MODEL: dict[str, Any] = {
    "model_id": "a/one",
    "observed_at": "2026-08-22T06:00:00Z",
    "org": "a",
    "region": "us",
    "total_params_b": 8.0,
    "size_bin": "7-9B",
    "released_at": "2026-08-01",
    "tracked": True,
}
DAILY: dict[str, Any] = {
    "size_bin": "7-9B",
    "models": ["a/one"],
    "registry_changed_at": ["2026-08-22T06:00:00Z"],
    "known": [1],
    "tracked": [True],
    "released_at": ["2026-08-01"],
    "reread": [False],
    "knot_at": [None],
    "knot_cumulative": [None],
    "row_model": [0],
    "row_day": [20_000],
    "row_cumulative": [5],
    "row_downloads": [None],
    "row_gap": [False],
}


def encoded(event: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps(event | changes).encode()


def test_counters_beyond_2_to_the_53rd_stay_whole() -> None:
    event = read_event(DownloadsSlice, encoded(SLICE))
    assert event.downloads_all_time == [9007199254740993, None]
    assert read_event(DownloadsSlice, event.to_bytes()) == event


def test_moments_become_utc_milliseconds() -> None:
    event = read_event(DownloadsSlice, encoded(SLICE, observed_at="2026-08-22T08:00:00.1239+02:00"))
    assert event.observed_at == datetime(2026, 8, 22, 6, 0, 0, 123000, tzinfo=UTC)


def test_fields_nobody_knows_yet_are_ignored() -> None:
    assert read_event(DownloadsSlice, encoded(SLICE, colour="blue")).models == SLICE["models"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "the record has no value"),
        (b"", "not JSON"),
        (b"downloads: 5", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "DownloadsSlice.record"),
        (encoded(SLICE, schema_version=2), "contract version 2 is newer than 1"),
        (encoded(SLICE, downloads_all_time=[1, -5]), "downloads_all_time.1"),
        (encoded(SLICE, downloads_all_time=[1, 10**30]), "downloads_all_time.1"),
        (encoded(SLICE, downloads_all_time=[1, 2.5]), "downloads_all_time.1"),
        (encoded(SLICE, downloads_all_time=[1, "2"]), "downloads_all_time.1"),
        (encoded(SLICE, likes=[1]), "likes has 1 entries for 2 rows"),
        (encoded(SLICE, models=["a/one", "a/one"]), "models holds an id twice"),
        (encoded(SLICE, models=["a/one", ""]), "models.1"),
        (encoded(SLICE, observed_at="2026-08-22T06:00:00"), "observed_at"),
        (encoded({}), "Field required"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_field(value: bytes | None, said: str) -> None:
    with pytest.raises(ContractError) as refused:
        read_event(DownloadsSlice, value)
    assert said in str(refused.value)


@pytest.mark.parametrize("size", [0, -1, "Infinity", "NaN", True])
def test_absurd_sizes_are_refused(size: Any) -> None:
    value = encoded(MODEL, total_params_b=size).replace(b'"Infinity"', b"Infinity")
    if size is True:
        value = encoded(MODEL, size_bin="9B")
    with pytest.raises(ContractError, match="ModelRecord"):
        read_event(ModelRecord, value.replace(b'"NaN"', b"NaN"))


def test_partitions_are_those_clickhouse_computes() -> None:
    # SELECT CRC32('Qwen/Qwen3-0.6B') % 7
    assert partition_of("", 7) == 0
    assert {partition_of(f"org/model-{n}", 4) for n in range(64)} == {0, 1, 2, 3}


def test_topics_have_names_of_their_own() -> None:
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)
    assert all(topic.name.startswith("breakout.") for topic in TOPICS)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
def test_moments_outside_all_years_in_utc_are_refused(moment: str) -> None:
    with pytest.raises(ContractError, match=r"observed_at.*outside the years 1 to 9999"):
        read_event(DownloadsSlice, encoded(SLICE, observed_at=moment))


def test_a_record_wrong_in_very_many_places_is_explained_by_the_first() -> None:
    wrong = encoded(SLICE, likes=[[]] * 300_000, observed_at=None)
    tracemalloc.start()
    try:
        with pytest.raises(ContractError, match=r"^DownloadsSlice\.observed_at:.*\(and 1 more\)$"):
            read_event(DownloadsSlice, wrong)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_counts_of_known_observations_fit_into_64_bits() -> None:
    with pytest.raises(ContractError, match=r"known\.0"):
        read_event(DailySlice, encoded(DAILY, known=[2**63]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"row_model": [1]}, "row_model names a model beyond models"),
        ({"row_gap": []}, "row_gap has 0 entries for 1 rows"),
        ({"reread": []}, "reread has 0 entries for 1 rows"),
        ({"row_day": [65_536]}, r"row_day\.0"),
    ],
)
def test_rows_of_the_grid_fit_their_models(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        read_event(DailySlice, encoded(DAILY, **change))


def test_row_of_the_grid_is_named_once() -> None:
    columns = ("row_model", "row_day", "row_cumulative", "row_downloads", "row_gap")
    with pytest.raises(ContractError, match="row_model and row_day name a row twice"):
        read_event(DailySlice, encoded(DAILY, **{name: DAILY[name] * 2 for name in columns}))
