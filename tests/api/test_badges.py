"""Badges for model cards."""

from xml.etree import ElementTree

import httpx
import pytest

from api.badge_image import badge
from api.badges import compact
from breakout.settings import Settings

SVG = "{http://www.w3.org/2000/svg}"


def texts(picture: bytes) -> list[str | None]:
    return [one.text for one in ElementTree.fromstring(picture).iter(f"{SVG}text")]


def test_badge_shows_the_ram(ram_api: tuple[httpx.Client, Settings]) -> None:
    client, _ = ram_api
    row = client.get("/v1/ram?limit=1").json()["data"][0]
    response = client.get(f"/badge/ram/{row['model_id']}.svg")
    assert response.headers["content-type"] == "image/svg+xml"
    assert texts(response.content) == ["RAM", f"{row['ram']:.2f}x of 10-50B"]
    known = {"If-None-Match": response.headers["etag"]}
    again = client.get(f"/badge/ram/{row['model_id']}.svg", headers=known)
    assert (again.status_code, again.content) == (304, b"")


def test_badge_of_a_model_without_ram(api: httpx.Client) -> None:
    assert texts(api.get("/badge/ram/am/Sizeless.svg").content) == ["RAM", "not available"]
    assert api.get("/badge/ram/am/none.svg").status_code == 404


def test_rank_is_the_place_on_the_leaderboard(ram_api: tuple[httpx.Client, Settings]) -> None:
    client, _ = ram_api
    for as_of in ("2026-03-01T06:00:00Z", "2026-02-10"):
        asked = {"size_bin": "10-50B", "as_of": as_of}
        ranked = [
            row
            for row in client.get("/v1/ram", params=asked).json()["data"]
            if row["ram"] is not None
        ]
        assert len(ranked) > 1
        for rank, row in enumerate(ranked, start=1):
            address = f"/badge/rank/{row['model_id']}.svg"
            response = client.get(address, params={"as_of": as_of})
            expected = f"{rank} of {len(ranked)} in 10-50B"
            assert texts(response.content) == ["RAM rank", expected]
            assert f"{row['model_id']}: RAM rank {expected}, as of 2026-" in response.text


def test_rank_of_a_model_without_ram(api: httpx.Client) -> None:
    assert texts(api.get("/badge/rank/am/Sizeless.svg").content) == ["RAM rank", "not available"]
    assert api.get("/badge/rank/am/none.svg").status_code == 404


@pytest.mark.parametrize("as_of", [None, "2026-02-10"])
def test_badge_shows_the_downloads(
    ram_api: tuple[httpx.Client, Settings], as_of: str | None
) -> None:
    client, _ = ram_api
    asked = {} if as_of is None else {"as_of": as_of}
    rows = client.get("/v1/downloads", params={"model": "org0/model-00", **asked}).json()["data"]
    total = rows[-1]["cumulative"]
    response = client.get("/badge/downloads/org0/model-00.svg", params=asked)
    assert response.headers["content-type"] == "image/svg+xml"
    assert texts(response.content) == ["downloads", compact(total)]
    assert f"org0/model-00: {total:,} downloads, as of 2026-" in response.text
    known = {"If-None-Match": response.headers["etag"]}
    again = client.get("/badge/downloads/org0/model-00.svg", params=asked, headers=known)
    assert (again.status_code, again.content) == (304, b"")


def test_downloads_of_an_unknown_model(api: httpx.Client) -> None:
    assert api.get("/badge/downloads/am/none.svg").status_code == 404


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1K"),
        (1234, "1.23K"),
        (20_417, "20.4K"),
        (999_499, "999K"),
        (999_500, "1M"),
        (123_456_789, "123M"),
        (2_500_000_000, "2.5B"),
        (1_234_000_000_000, "1230B"),
    ],
)
def test_compact_count_has_three_digits(count: int, text: str) -> None:
    assert compact(count) == text


@pytest.mark.parametrize("text", ["<1B", "&amp;", "</text><script>", "模型"])
def test_badge_escapes_markup(text: str) -> None:
    assert texts(badge(text, text, "#000", text)) == [text, text]


@pytest.mark.parametrize("code", [0, 7, 9, 10, 27, 0x9B, 0xAD, 0x200F, 0x202E, 0x2066, 0xFFFF])
def test_badge_escapes_invisible_characters(code: int) -> None:
    shown = f"a\\u{code:04x}b"
    assert texts(badge("RAM", f"a{chr(code)}b", "#000", f"a{chr(code)}b")) == ["RAM", shown]
