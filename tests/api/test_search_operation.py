"""Search: matches, their order, and the nearest names."""

from typing import Any

import httpx
import pytest


def find(api: httpx.Client, **parameters: Any) -> list[dict[str, Any]]:
    response = api.get("/v1/search", params=parameters)
    assert response.status_code == 200, response.text
    rows: list[dict[str, Any]] = response.json()["data"]
    assert [row["place"] for row in rows] == list(range(1, len(rows) + 1))
    return rows


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


def test_part_of_a_name_finds_models_and_organisations(api: httpx.Client) -> None:
    rows = find(api, search="am")
    assert (rows[0]["kind"], rows[0]["id"], rows[0]["match"]) == ("organisation", "am", "exact")
    assert set(ids(rows)) == {
        "am", "am/Huge-400B", "am/Tiny-1B", "am/Untracked-1B", "am/Sizeless", "am/Unseen-7B",
    }  # fmt: skip
    assert {row["match"] for row in rows[1:]} == {"prefix"}
    assert ids(rows)[-1] == "am/Untracked-1B"


def test_words_match_in_any_order_and_case(api: httpx.Client) -> None:
    assert ids(find(api, search="300b BIG")) == ["qi/Big-300B"]
    assert ids(find(api, search="  qi   1b ")) == ["qi/Small-1B"]


def test_exact_name_comes_first(api: httpx.Client) -> None:
    assert find(api, search="Tiny-1B")[0] | {"region": None} == {
        "kind": "model", "id": "am/Tiny-1B", "org": "am", "region": None, "size_bin": "1-5B",
        "models": 1, "tracked": 1, "match": "exact", "place": 1,
    }  # fmt: skip
    assert find(api, search="QI/big-300b")[0]["match"] == "exact"


def test_kind_limits_the_hits(api: httpx.Client) -> None:
    assert ids(find(api, search="qi", kind="organisation")) == ["qi"]
    assert set(ids(find(api, search="qi", kind="model"))) == {"qi/Big-300B", "qi/Small-1B"}


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("Bgi-300B", "qi/Big-300B"),
        ("am/Huge-40B", "am/Huge-400B"),
        ("nowere", "nowhere"),
        ("Big-300B-Instruct", "qi/Big-300B"),
    ],
)
def test_without_a_match_the_nearest_names_are_returned(
    api: httpx.Client, text: str, nearest: str
) -> None:
    rows = find(api, search=text)
    assert {row["match"] for row in rows} == {"near"}
    assert len(rows) <= 5
    assert rows[0]["id"] == nearest


def test_nothing_near_is_empty(api: httpx.Client) -> None:
    assert find(api, search="zzzzzzzzzzzzzzzz") == []


@pytest.mark.parametrize("text", ["%", "_", "\\", "'", "\x00", "百度", " "])
def test_characters_have_no_special_meaning(api: httpx.Client, text: str) -> None:
    for row in find(api, search=text):
        assert row["match"] == "near" or not text.strip()


def test_without_a_text_all_are_listed(api: httpx.Client) -> None:
    assert len(find(api)) == 9 + 4


def test_pages_follow_each_other(api: httpx.Client) -> None:
    complete = ids(find(api))
    page = api.get("/v1/search", params={"limit": 5}).json()
    rest = api.get("/v1/search", params={"limit": 100, "cursor": page["next"]}).json()
    assert ids(page["data"]) + ids(rest["data"]) == complete


def test_organisations_are_found_by_name_and_part(api: httpx.Client) -> None:
    def organisations(**parameters: Any) -> list[str]:
        rows = api.get("/v1/organisations", params=parameters).json()["data"]
        return [row["org"] for row in rows]

    assert organisations(search="O") == ["nowhere", "old"]
    assert organisations(org=["qi", "am"]) == ["am", "qi"]
    assert len(organisations()) == 4
