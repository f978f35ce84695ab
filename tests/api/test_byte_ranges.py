"""The Range header."""

import pytest

from api.byte_ranges import is_suffix, parse_range
from api.problems import ProblemError


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=0-99", (0, 100)),
        ("bytes=10-", (10, 100)),
        ("bytes=90-1000", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-1000", (0, 100)),
        ("bytes= 5-6 ", (5, 7)),
        # Invalid, or several ranges: the complete file.
        *(
            (one, None)
            for one in (None, "", "bytes", "bytes=", "bytes=-", "bytes=9-1", "bytes=9-1,x")
        ),
        *((one, None) for one in ("bytes=0-1,5-6", "lines=0-1", "bytes=a-b", "bytes=+1-2")),
        *((one, None) for one in ("bytes=\u0661-\u0662", "bytes=" + "9" * 40 + "-", "bytes=1-2-3")),
    ],
)
def test_range(header: str | None, expected: tuple[int, int] | None) -> None:
    assert parse_range(header, 100) == expected


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=100-", 100), ("bytes=100-200", 100), ("bytes=-0", 100)]
)
def test_range_beyond_the_end_is_not_satisfiable(header: str, size: int) -> None:
    with pytest.raises(ProblemError) as caught:
        parse_range(header, size)
    assert caught.value.status == 416
    assert caught.value.headers == {"Content-Range": f"bytes */{size}"}


def test_suffix_begins_a_reading() -> None:
    assert is_suffix("bytes=-8")
    assert not any(map(is_suffix, ("bytes=8-", "bytes=0-8", "bytes=-", "")))
