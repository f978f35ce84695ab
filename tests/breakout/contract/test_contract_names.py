"""Names hold whatever people write, but nothing unseen."""

import pytest

from breakout.contract.names import is_name


@pytest.mark.parametrize(
    "name",
    [
        "gemini-3-flash (thinking-minimal)",
        "[x] <y> \"z\" 'w' | = + - @ & *",
        "模型 · Größe 😀",
        "👨\u200d👩\u200d👧",
        "نمی\u200cشود",
        "x" * 256,
    ],
)
def test_what_people_write_is_a_name(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "character",
    [
        *(chr(number) for number in (*range(0x20), *range(0x7F, 0xA0))),
        *"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029",
        *"\u00ad\u180e\u200b\u2060\u2064\u206f\ufeff\ufff9\ud800",
    ],
    ids=lambda character: f"U+{ord(character):04X}",
)
def test_what_nobody_sees_is_in_no_name(character: str) -> None:
    assert not is_name(f"a{character}b")


def test_a_name_is_neither_empty_nor_endless() -> None:
    assert not is_name("")
    assert not is_name("x" * 257)
