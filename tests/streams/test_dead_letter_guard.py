"""The limit on unreadable records in a window of consecutive ones."""

from hypothesis import given
from hypothesis import strategies as st

from streams.dead_letter_guard import WINDOW, first_over_limit


@given(st.sets(st.integers(0, 3 * WINDOW)), st.integers(0, WINDOW - 1), st.integers(0, 3 * WINDOW))
def test_first_offset_over_the_limit_is_found(found: set[int], limit: int, since: int) -> None:
    over_limit = [
        offset
        for offset in sorted(found)
        if offset >= since and sum(offset - WINDOW < one <= offset for one in found) > limit
    ]
    assert first_over_limit(sorted(found), limit, since) == (over_limit[0] if over_limit else None)
