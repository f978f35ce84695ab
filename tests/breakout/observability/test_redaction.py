"""Secrets never reach a text that leaves the process."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakout.observability.redaction import STARS, Redactor
from breakout.settings import Settings, read_settings


def settings() -> Settings:
    return read_settings(
        clickhouse_url="http://me:url%20pass@db:8123/breakout",
        clickhouse_password="ch-password",
        reader_password="reader pass/word",
        hf_token="hf_abcdef",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("token hf_abcdef used", "token *** used"),
        ("twice hf_abcdef hf_abcdef", "twice *** ***"),
        ("login ch-password failed", "login *** failed"),
        ("reader pass/word", "***"),
        ("as a parameter reader%20pass%2Fword or reader+pass%2Fword", "as a parameter *** or ***"),
        ("decoded url pass and raw url%20pass", "decoded *** and raw ***"),
        ("GET http://someone:other@host/path", "GET http://someone:***@host/path"),
        ("GET http://:other@host/path", "GET http://:***@host/path"),
        ("no password in http://host:8123/path", "no password in http://host:8123/path"),
        ("Authorization: Bearer abc.def-123", "Authorization: ***"),
        ("{'Authorization': 'Basic dXNlcjpwYXNz'}", "{'Authorization': '***'}"),
        ("(b'authorization', b'Bearer xyz123')", "(b'authorization', b'***')"),
        ("X-Api-Key=12345 rest", "X-Api-Key=*** rest"),
        ("x-clickhouse-key: pw", "x-clickhouse-key: ***"),
        ("sent bearer abcdef123", "sent bearer ***"),
        ("GET /a?token=abc&b=1", "GET /a?token=***&b=1"),
        ("the tokens of today: 12", "the tokens of today: 12"),
    ],
)
def test_replaces_secrets_in_text(text: str, expected: str) -> None:
    assert Redactor(settings())(text) == expected


def test_looks_into_whatever_an_event_holds() -> None:
    class Anything:
        def __repr__(self) -> str:
            return "<Anything hf_abcdef>"

    event = {
        "rows": 5,
        "share": 0.5,
        "big": 2**60,
        "none": None,
        "flag": True,
        "headers": {"Authorization": "anything at all", "Accept": "json"},
        "hf_token": "short",
        "list": ["hf_abcdef", ("ch-password",), b"hf_abcdef"],
        "object": Anything(),
        "hf_abcdef": 1,
    }
    assert Redactor(settings()).value(event) == {
        "rows": 5,
        "share": 0.5,
        "big": 2**60,
        "none": None,
        "flag": True,
        "headers": {"Authorization": STARS, "Accept": "json"},
        "hf_token": STARS,
        "list": [STARS, [STARS], STARS],
        "object": "<Anything ***>",
        STARS: 1,
    }


def test_a_short_secret_does_not_tear_words_apart() -> None:
    redact = Redactor(read_settings(hf_token="in"))
    assert redact("waiting in line, token=in") == "waiting *** line, token=***"


def test_nothing_to_hide_changes_nothing() -> None:
    assert Redactor(read_settings())("inserted 5 rows into downloads_log") == (
        "inserted 5 rows into downloads_log"
    )


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"]), min_size=6), st.text())
def test_any_long_secret_is_gone_wherever_it_stands(secret: str, around: str) -> None:
    redact = Redactor(read_settings(hf_token=secret))
    # Its characters may be part of the stars, or of what the other rules leave.
    if secret not in around + around + STARS * 3:
        assert secret not in redact(f"{around}{secret}{around}")
