"""Rows of `downloads_log`."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from breakout.contract import DownloadsSlice
from breakout.contract.topics import partition_of
from streams.downloads import rows as tables
from streams.downloads.state import State
from tests.support.slices import applied, slice_of

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
    parts = [
        (applied(states[number], group), states[number].index.origins)
        for number, group in slices.items()
    ]
    rows = tables.downloads(parts).to_pylist()
    keys = [(row["model_id"], row["source"], row["observed_at"]) for row in rows]
    assert (keys == sorted(keys, key=lambda key: (key[0].encode(), key[1], key[2]))) is ordered
    columns = ("origin", "downloads_all_time", "downloads_30d", "likes")
    found = [tuple(row[name] for name in columns) for row in rows]
    assert dict(zip(keys, found, strict=True)) == expected
    assert len(keys) == len(expected)


def test_states_stay_with_their_row() -> None:
    state = State()
    totals = {"b/b": [10, 30, 30], "a/a": [5, 5, 8]}
    slices = [
        hour_of(list(totals), "huggingface", hour, [one[hour // 24] for one in totals.values()])
        for hour in (0, 24, 48)
    ]
    result = applied(state, slices)
    rows = tables.downloads([(result, state.index.origins)]).to_pylist()
    found = {(row["model_id"], row["likes"]): (row["state"], row["opening"]) for row in rows}
    assert found == {
        ("a/a", 0): ("first", None),
        ("a/a", 24): ("idle", 5),
        ("a/a", 48): ("rise", 8),
        ("b/b", 0): ("first", None),
        ("b/b", 24): ("rise", 30),
        ("b/b", 48): ("held", None),
    }
    days = tables.daily([result]).to_pylist()
    kept = [row for row in days if not row["withdrawn"]]
    assert [(row["model_id"], row["day"].day, row["cumulative"], row["basis"]) for row in kept] == [
        ("a/a", 1, 5, "observed"),
        ("a/a", 2, 8, "observed"),
        ("b/b", 1, 30, "observed"),
    ]


def test_dictionaries_have_each_name_once() -> None:
    """A model of two sources is two series of one name."""
    state = State()
    slices = [
        hour_of(MODELS, source, hour, [hour] * len(MODELS))
        for hour in range(5)
        for source in ("modelscope", "huggingface")
    ]
    rows = tables.downloads([(applied(state, slices), state.index.origins)])
    for name in ("model_id", "source", "origin"):
        (chunk,) = rows[name].chunks
        assert len(set(chunk.dictionary.to_pylist())) == len(chunk.dictionary), name
    assert set(rows["model_id"].to_pylist()) == set(MODELS)
