"""Headers that tell a rate limit."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.http.rate_limit import (
    Policy,
    Remaining,
    parse_policies,
    parse_remaining,
    parse_retry_after,
    parse_x_ratelimit,
)

NOW = datetime(2026, 8, 22, 11, tzinfo=UTC)
NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"'))
NUMBERS = st.integers(0, 10**15 - 1)
SPACES = st.sampled_from(["", " ", "  "])


def test_the_hubs_headers() -> None:
    assert parse_remaining('"api";r=0;t=55') == [Remaining("api", 0, 55)]
    assert parse_policies('"fixed window";"api";q=500;w=300') == [Policy("api", 500, 300)]


@given(st.lists(st.tuples(NAMES, NUMBERS, NUMBERS, SPACES), min_size=1, max_size=4))
def test_remaining_is_read_as_it_was_written(told: list[tuple[str, int, int, str]]) -> None:
    header = ",".join(f'{gap}"{name}"{gap};{gap}r={r};{gap}t={t}' for name, r, t, gap in told)
    assert parse_remaining(header) == [Remaining(name, r, t) for name, r, t, _ in told]


@given(st.lists(st.tuples(NAMES, NAMES, NUMBERS, NUMBERS), min_size=1, max_size=4))
def test_policies_are_read_as_they_were_written(told: list[tuple[str, str, int, int]]) -> None:
    header = ", ".join(f'"{kind}";"{name}";q={q};w={w}' for kind, name, q, w in told)
    assert parse_policies(header) == [
        Policy(name, q, w) for _, name, q, w in told if q > 0 and w > 0
    ]


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    parse_remaining(text)
    parse_policies(text)
    seconds = parse_retry_after(text, NOW)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    "header",
    ["", "api", '"api"', '"api";r=1', '"api";t=1', '"api";r=-1;t=5', "r=1;t=1", '"api";r=x;t=1'],
)
def test_what_says_too_little_is_left_out(header: str) -> None:
    assert parse_remaining(header) == []


@given(st.integers(-(10**6), 10**6))
def test_retry_after_as_a_date(seconds: int) -> None:
    moment = datetime.fromtimestamp(NOW.timestamp() + seconds, UTC)
    header = format_datetime(moment, usegmt=True)
    assert parse_retry_after(header, NOW) == max(seconds, 0)


def test_retry_after_in_seconds() -> None:
    assert parse_retry_after(" 120 ", NOW) == 120.0


def reset(text: str, left: str = "3") -> Remaining | None:
    return parse_x_ratelimit({"X-RateLimit-Remaining": left, "X-RateLimit-Reset": text}, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "60",
        "59.2",
        f"{NOW.timestamp() + 60:.0f}",
        f"{NOW.timestamp() * 1000 + 60_000:.0f}",
        "2026-08-22T11:01:00Z",
        "2026-08-22T13:01:00+02:00",
        "Sat, 22 Aug 2026 11:01:00 GMT",
    ],
)
def test_a_reset_is_read_however_it_is_written(text: str) -> None:
    assert reset(text) == Remaining("", 3, 60)


@pytest.mark.parametrize(("text", "left"), [("", "3"), ("soon", "3"), ("-5", "3"), ("nan", "3"),
    ("inf", "3"), ("1e300", "3"), ("60", ""), ("60", "none"), ("60", "-1")])  # fmt: skip
def test_a_quota_that_cannot_be_read_says_nothing(text: str, left: str) -> None:
    assert reset(text, left) is None


def test_a_reset_that_is_past_asks_for_no_wait() -> None:
    assert reset("2026-08-22T10:00:00Z", "0") == Remaining("", 0, 0)
