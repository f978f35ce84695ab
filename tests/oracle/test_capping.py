"""Capped downloads, worked out by hand."""

import pytest

from . import counters
from .capping import Rows, capped_at_knot, capped_cumulative, top_day_share


def rows(first: int, *downloads: int, correction: int = 0, age: int = 1) -> Rows:
    """Return rows by age: the first, partial one, and days; the last has the correction."""
    answer = {age: counters.Row(age - 1, first, None, 0, "observed")}
    for day, grown in enumerate(downloads, age + 1):
        corrected = correction if day == age + len(downloads) else 0
        cumulative = answer[day - 1].cumulative + grown - corrected
        answer[day] = counters.Row(day - 1, cumulative, grown, corrected, "observed")
    return answer


def capped(by_age: Rows) -> int | None:
    return capped_cumulative(by_age, max(by_age))


class TestCapping:
    @pytest.mark.parametrize(
        ("downloads", "expected"),
        [
            ((10, 10, 10), 30),
            ((10, 10, 500), 120),  # at most 10 times 10
            ((500, 10, 10), 120),
            ((10, 20, 30, 1000), 310),  # the median is 25
            ((1, 2, 1, 1000), 19),  # 1.5
            ((0, 0, 500), 0),  # a day of zero is a day
            ((10, 20), 30),
            ((10,), None),
            ((), None),
        ],
    )
    def test_days_are_capped_at_ten_times_their_median(
        self, downloads: tuple[int, ...], expected: int | None
    ) -> None:
        assert capped(rows(0, *downloads)) == expected

    def test_first_partial_day_counts_as_a_day(self) -> None:
        assert capped(rows(50_000, 10, 10, 500)) == 100 + 120

    def test_what_came_before_the_first_day_is_spread_over_the_age(self) -> None:
        assert capped(rows(250, 10, 10, 10, age=3)) == 280
        assert capped(rows(350, 10, 10, 10, age=3)) == 330

    def test_days_before_the_release_are_one_day(self) -> None:
        grid = rows(50, 1000, 1000, 10, 10, 10, age=-2)
        assert capped({age: row for age, row in grid.items() if age >= 0}) == 100 + 30

    def test_day_of_a_gap_is_a_day(self) -> None:
        grid = rows(10, 10, 10, 10)
        grid[1] = grid[1]._replace(basis="gap")
        assert capped(grid) == 40

    def test_corrections_are_taken_away(self) -> None:
        assert capped(rows(50, 10, 10, 500, correction=30)) == 140
        assert capped(rows(50, 10, 10, 500, correction=300)) == 0

    def test_nothing_is_capped_at_age_0(self) -> None:
        assert capped_cumulative(rows(50, 10, 10, 10, age=0), 0) is None

    def test_nothing_is_known_without_a_point(self) -> None:
        assert capped_at_knot({}, 5) is None

    def test_what_came_since_the_last_row_is_not_capped(self) -> None:
        grid = rows(0, 10, 10, 500)
        assert capped_at_knot(grid, 520 + 7000) == 7120
        # After a correction within the day.
        assert capped_at_knot(grid, 300) == 0

    def test_top_day_share(self) -> None:
        assert top_day_share(rows(30, 10, 60), 3) == 0.6
        assert top_day_share(rows(50, 10, 40), 3) == 0.5
        assert top_day_share(rows(60, 10, 30, age=3), 5) == 0.3
        assert top_day_share(rows(50), 1) == 1
        assert top_day_share(rows(0, 0, 0), 3) is None
