"""Badges for model cards."""

from xml.etree import ElementTree

import httpx
import pytest

from api.badges import badge
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


@pytest.mark.parametrize("text", ["<1B", "&amp;", "</text><script>", "模型"])
def test_badge_escapes_markup(text: str) -> None:
    assert texts(badge(text, text, "#000", text)) == [text, text]


@pytest.mark.parametrize("code", [0, 7, 9, 10, 27, 0x9B, 0xAD, 0x200F, 0x202E, 0x2066, 0xFFFF])
def test_badge_escapes_invisible_characters(code: int) -> None:
    shown = f"a\\u{code:04x}b"
    assert texts(badge("RAM", f"a{chr(code)}b", "#000", f"a{chr(code)}b")) == ["RAM", shown]
