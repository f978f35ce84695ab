"""How many unreadable records in a row are too many."""

from hypothesis import given
from hypothesis import strategies as st

from streams.dead_letter_guard import WINDOW, first_crowded


@given(st.sets(st.integers(0, 3 * WINDOW)), st.integers(0, WINDOW - 1), st.integers(0, 3 * WINDOW))
def test_the_first_crowded_offset_is_found(found: set[int], limit: int, since: int) -> None:
    crowded = [
        offset
        for offset in sorted(found)
        if offset >= since and sum(offset - WINDOW < one <= offset for one in found) > limit
    ]
    assert first_crowded(sorted(found), limit, since) == (crowded[0] if crowded else None)
