"""Rows of `downloads_log`."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from breakout.contract import DownloadsSlice
from breakout.contract.topics import partition_of
from streams.downloads import rows as tables
from streams.downloads.state import State
from tests.support.slices import planned, slice_of

START = datetime(2026, 3, 1, tzinfo=UTC)
MODELS = ["z-org/a", "a-org/z", "A-org/z", "a-org/Z", "é/é", "a-org/z-2", "m/m"]


def hour_of(
    models: list[str], source: str, hour: int, totals: list[int | None], origin: str = "live"
) -> DownloadsSlice:
    return slice_of(
        models, source, START + timedelta(hours=hour), totals, origin=origin, likes=hour
    )


@pytest.mark.parametrize(("hours", "ordered"), [(2, False), (12, True)])
def test_rows_equal_the_slices_and_are_ordered_if_there_are_many(hours: int, ordered: bool) -> None:
    random = Random(3)
    states = {number: State() for number in range(3)}
    slices: dict[int, list[DownloadsSlice]] = {number: [] for number in states}
    expected = {}
    for hour in range(hours):
        for source, origin in (("modelscope", "live"), ("huggingface", ("live", "file")[hour % 2])):
            for number, group in slices.items():
                own = [one for one in MODELS if partition_of(one, 3) == number]
                own = random.sample(own, random.randint(0, len(own)))
                totals = [random.choice((None, random.randrange(2**53, 2**62))) for _ in own]
                group.append(hour_of(own, source, hour, totals, origin))
                for model_id, total in zip(own, totals, strict=True):
                    key = (model_id, source, START + timedelta(hours=hour))
                    expected[key] = (origin, total, None, hour)
    results = {number: planned(states[number], group) for number, group in slices.items()}
    parts = [
        (states[number].apply(plan, None).rows, states[number].origins)
        for number, plan in results.items()
    ]
    rows = tables.downloads(parts).to_pylist()
    keys = [(row["model_id"], row["source"], row["observed_at"]) for row in rows]
    assert (keys == sorted(keys, key=lambda key: (key[0].encode(), key[1], key[2]))) is ordered
    columns = ("origin", "downloads_all_time", "downloads_30d", "likes")
    found = [tuple(row[name] for name in columns) for row in rows]
    assert dict(zip(keys, found, strict=True)) == expected
    assert len(keys) == len(expected)


def test_clean_values_stay_with_their_row() -> None:
    state = State()
    totals = {"b/b": [10, 30, 20], "a/a": [5, 5, 8]}
    slices = [
        hour_of(list(totals), "huggingface", hour, [one[hour] for one in totals.values()])
        for hour in range(3)
    ]
    rows = tables.downloads([(state.apply(planned(state, slices), None).rows, state.origins)])
    rows = rows.sort_by([("cumulative", "ascending")])
    columns = ("model_id", "cumulative", "delta", "revision", "standing")
    assert [tuple(row[name] for name in columns) for row in rows.to_pylist()] == [
        ("a/a", 5, None, None, None),
        ("a/a", 5, 0, None, True),
        ("a/a", 8, 3, None, False),
        ("b/b", 10, None, None, None),
        ("b/b", 30, 20, None, False),
        ("b/b", 30, 0, 10, False),
    ]


def test_closing_is_the_last_row_of_a_day_with_a_counter() -> None:
    random = Random(5)
    state = State()
    slices = []
    for hour in sorted(random.sample(range(24 * 6), 40)):
        own = random.sample(MODELS, random.randint(0, len(MODELS)))
        source = random.choice(("huggingface", "modelscope"))
        slices.append(hour_of(own, source, hour, [random.choice((None, 7)) for _ in own]))
    rows = tables.downloads([(state.apply(planned(state, slices), None).rows, state.origins)])
    last = {}
    for row in rows.to_pylist():  # sorted by time within each series
        if row["cumulative"] is not None:
            last[row["model_id"], row["source"], row["observed_at"].date()] = row["observed_at"]
    assert len(last) > 20
    for row in rows.to_pylist():
        day = (row["model_id"], row["source"], row["observed_at"].date())
        closes = row["cumulative"] is not None and last.get(day) == row["observed_at"]
        assert row["closing"] == closes, row


def test_dictionaries_have_each_name_once() -> None:
    """A model of two sources is two series of one name."""
    state = State()
    slices = [
        hour_of(MODELS, source, hour, [hour] * len(MODELS))
        for hour in range(5)
        for source in ("modelscope", "huggingface")
    ]
    rows = tables.downloads([(state.apply(planned(state, slices), None).rows, state.origins)])
    for name in ("model_id", "source", "origin"):
        (chunk,) = rows[name].chunks
        assert len(set(chunk.dictionary.to_pylist())) == len(chunk.dictionary), name
    assert set(rows["model_id"].to_pylist()) == set(MODELS)
