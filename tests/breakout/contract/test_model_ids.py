"""Which ids there are; and a list that equals one already checked is that one, no other."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakout.contract import ContractError, DownloadsSlice, read_event
from breakout.contract.model_ids import MAX_MARKS, SHORTEST_KEPT, CheckedLists, is_model_id
from breakout.contract.schemas import published_schema
from tests.breakout.contract.test_events import SLICE, encoded

LONG = [f"acme/anvil-{number}" for number in range(SHORTEST_KEPT)]


IDS = [
    "gpt2",
    "acme/Anvil-7B.v1_2",
    "_x/_y",
    "ram--charan/a..b.",
    "acme/模型-7B",
    "acme/modèle",
    "acme/한국어",
    "acme/हिन्दी-7B",
    "acme/ไทย",
    "acme/٣",
    "a/" + "b" * 254,
]
NO_IDS = [
    "",
    "/a",
    "a/",
    "a/b/c",
    "a/..",
    "a/.b",
    "-a/b",
    "a/-b",
    "a/ b",
    "a/b\n",
    "a/\u00a0b",
    "a/\u2028b",
    "a/\x00",
    "a/\x1b[31m",
    "a/\x9b1m",
    "a/\u202ea",
    "a/\u2067a",
    "a/\u200bb",
    "a/\u200db",
    "a/\ufeffb",
    "a/\u3164",
    "a/b\ufe0f",
    "a/e\u0301",
    "a/a" + "\u0316" * (MAX_MARKS + 1),
    "a/\ue000",
    "evil/[/b]x[red]y",
    "a/<b>",
    "a/<!channel>",
    "a/&amp;",
    'a/"b',
    "a/'b",
    "a/`b",
    "a/\u2019b",
    "a/*b*",
    "a/{b}",
    "a/b|c",
    "a/b\\c",
    "a/$b",
    "a/%2e",
    "a/b?c#d",
    "a/\U0001f600",
    "=a/b",
    "@a/b",
    "+a/b",
    "a/" + "b" * 255,
]


@pytest.mark.parametrize("model_id", IDS)
def test_letters_digits_and_three_marks_make_an_id(model_id: str) -> None:
    assert is_model_id(model_id)
    assert read([model_id]) == [model_id]
    assert read([*LONG, model_id])[-1] == model_id
    (pattern,) = _patterns()
    assert re.search(pattern, model_id)


@pytest.mark.parametrize("model_id", NO_IDS)
def test_nothing_else_is_an_id(model_id: str) -> None:
    assert not is_model_id(model_id)
    for ids in ([model_id], [*LONG, model_id]):
        with pytest.raises(ContractError, match="models"):
            read(ids)


def test_half_a_character_is_no_id() -> None:
    assert not is_model_id("a/\ud800")


def _patterns() -> set[str]:
    schema = json.loads(published_schema(DownloadsSlice))
    return {schema["properties"]["models"]["items"]["pattern"]}


def read(ids: list[Any]) -> list[str]:
    counts = [None] * len(ids)
    value = encoded(
        SLICE, models=ids, downloads_all_time=counts, downloads_30d=counts, likes=counts
    )
    return read_event(DownloadsSlice, value).models


def test_equal_lists_are_one() -> None:
    assert read(LONG) == LONG
    assert read(LONG) is read(LONG)


def test_short_lists_are_not_kept() -> None:
    assert read(LONG[:-1]) is not read(LONG[:-1])


@pytest.mark.parametrize(
    ("place", "wrong", "said"),
    [
        (50, LONG[51], "models holds an id twice"),
        (50, "with space", "DownloadsSlice.models.50"),
        (50, "", "DownloadsSlice.models.50"),
        (50, 7, "DownloadsSlice.models.50"),
        (50, None, "DownloadsSlice.models.50"),
        (0, [], "DownloadsSlice.models.0"),
        (0, {}, "DownloadsSlice.models.0"),
    ],
)
def test_a_list_that_differs_in_one_id_is_checked(place: int, wrong: object, said: str) -> None:
    assert read(LONG) == LONG
    with pytest.raises(ContractError) as refused:
        read([*LONG[:place], wrong, *LONG[place + 1 :]])
    assert said in str(refused.value)
    assert read(LONG) == LONG


@given(st.lists(st.tuples(st.integers(0, SHORTEST_KEPT - 1), st.sampled_from("abc")), max_size=20))
def test_what_is_read_is_what_was_sent(changes: list[tuple[int, str]]) -> None:
    ids = list(LONG)
    for place, letter in changes:
        ids[place] = f"acme/anvil-{place}{letter}"
        assert read(ids) == ids


def test_a_bounded_number_of_ids_is_kept_and_the_lists_used_last() -> None:
    kept = CheckedLists(most=10)
    first, second, third = (["a", "b", "c", "d"], ["e", "f", "g"], ["h", "i", "j"])
    for one in (first, second, third):
        kept.keep(one)
    assert (kept.ids, kept.find(list(first))) == (10, first)
    kept.keep(["k"])
    assert [kept.find(list(one)) for one in (first, second, third)] == [first, None, third]
    kept.keep(["h", "i", "z"])
    assert (kept.ids, kept.find(third), kept.find(["h", "i", "z"])) == (8, None, ["h", "i", "z"])


def test_a_list_longer_than_all_that_is_kept_is_not() -> None:
    kept = CheckedLists(most=2)
    kept.keep(["a", "b", "c"])
    assert (kept.ids, kept.find(["a", "b", "c"])) == (0, None)
