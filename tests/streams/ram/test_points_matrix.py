"""Rows of the grid become points: by age, without gaps, replaced and withdrawn."""

from datetime import UTC, date, datetime, timedelta

from breakout.core.times import to_ms
from tests.streams.ram.memory import MemoryRam
from tests.streams.ram.slices import (
    RELEASED,
    WITHDRAWN,
    Entry,
    GridRow,
    day_of,
    end_of,
    grid,
    slice_of,
)

LATER = datetime(2026, 4, 1, tzinfo=UTC)


def points_of(ram: MemoryRam, model_id: str) -> dict[int, tuple[int | None, ...]]:
    return {age: row for (age, one), row in ram.point_rows().items() if one == model_id}


def test_points_are_grid_rows_at_the_end_of_their_day() -> None:
    ram = MemoryRam()
    rows = grid([5, 10, 30, 60, 100], age=-1) | {day_of(366): GridRow(500, 1)}
    ram.process(slice_of(Entry("a/b", rows)))
    assert points_of(ram, "a/b") == {
        0: (10, 5, None),
        1: (30, 20, None),
        2: (60, 30, 60),
        3: (100, 40, 100),
    }
    [(_, (_, row))] = [one for one in ram.points.items() if one[0] == (2, "a/b")]
    assert row[-1] == to_ms(end_of(day_of(2)))


def test_gap_rows_are_no_points_and_their_days_count() -> None:
    ram = MemoryRam()
    rows = grid([0, 10, 20, 30, 1_030])
    rows[day_of(2)] = GridRow(20, 10, gap=True)
    ram.process(slice_of(Entry("a/b", rows)))
    assert points_of(ram, "a/b")[2] == (None, 10, None)
    assert points_of(ram, "a/b")[4] == (1_030, 1_000, 130)


def test_withdrawn_row_is_no_point_any_more() -> None:
    ram = MemoryRam()
    ram.process(slice_of(Entry("a/b", grid([1, 2, 3]))))
    ram.process(slice_of(Entry("a/b", {day_of(2): WITHDRAWN}, known=2)))
    assert points_of(ram, "a/b").keys() == {0, 1}
    assert ram.points[2, "a/b"][1][:3] == (None, None, None)


def test_model_that_leaves_is_withdrawn_and_can_come_back() -> None:
    ram = MemoryRam()
    ram.process(slice_of(Entry("a/b", grid([1, 2, 3]))))
    ram.process(slice_of(Entry("a/b", released_at=None, changed_at=LATER)))
    assert (points_of(ram, "a/b"), ram.latest_rows()) == ({}, {})
    ram.daily["a/b"] = grid([1, 2, 3])
    back = Entry("a/b", changed_at=LATER + timedelta(days=1), reread=True)
    ram.process(slice_of(back))
    assert points_of(ram, "a/b").keys() == {0, 1, 2}


def test_changed_release_date_shifts_the_rows_read() -> None:
    ram = MemoryRam()
    ram.process(slice_of(Entry("a/b", grid([1, 2, 3, 4]))))
    ram.daily["a/b"] = grid([1, 2, 3, 4])
    moved = RELEASED + timedelta(days=2)
    ram.process(slice_of(Entry("a/b", released_at=moved, changed_at=LATER, reread=True)))
    assert {age: row[0] for age, row in points_of(ram, "a/b").items()} == {0: 3, 1: 4}


def test_slice_of_older_state_changes_nothing() -> None:
    ram = MemoryRam()
    ram.process(slice_of(Entry("a/b", grid([1, 2, 3]), known=5)))
    before = dict(ram.points)
    ram.process(slice_of(Entry("a/b", grid([7, 8, 9]), known=4)))
    assert ram.points == before
    ram.process(slice_of(Entry("a/b", released_at=None, changed_at=LATER, known=1)))
    ram.process(slice_of(Entry("a/b", grid([7, 8, 9]), known=9)))
    assert points_of(ram, "a/b") == {}


def test_reread_rows_may_be_newer_than_their_slice() -> None:
    """The slices between change nothing in the end, whatever they say on the way."""
    ram = MemoryRam()
    ram.daily["a/b"] = grid([1, 2, 30])
    ram.process(slice_of(Entry("a/b", known=3, reread=True)))
    assert points_of(ram, "a/b")[2][0] == 30
    ram.process(slice_of(Entry("a/b", {day_of(2): GridRow(3, 1)}, known=4)))
    ram.process(slice_of(Entry("a/b", {day_of(2): GridRow(30, 28)}, known=5)))
    assert {age: row[0] for age, row in points_of(ram, "a/b").items()} == {0: 1, 1: 2, 2: 30}


def test_only_newer_slices_ask_for_rows() -> None:
    ram = MemoryRam()
    ram.process(slice_of(Entry("a/b", grid([1]), changed_at=LATER)))
    old = slice_of(Entry("a/b", reread=True), Entry("a/c", reread=True))
    assert [model_id for model_id, _ in ram.state.matrix.to_reread(old)] == ["a/c"]
    gone = slice_of(Entry("a/b", released_at=None, reread=True, changed_at=LATER, known=9))
    assert ram.state.matrix.to_reread(gone) == []


def test_late_day_restates_capped_downloads_of_later_ages() -> None:
    ram = MemoryRam()
    ram.process(slice_of(Entry("a/b", grid([0, 10, 20, 30, 1_030, 1_040]))))
    assert points_of(ram, "a/b")[5] == (1_040, 10, 140)
    late = {day_of(1): GridRow(20, 20), day_of(2): GridRow(40, 20), day_of(3): GridRow(60, 20)}
    late |= {day_of(4): GridRow(1_030, 970)}
    ram.process(slice_of(Entry("a/b", late, known=2)))
    assert points_of(ram, "a/b")[5] == (1_040, 10, 270)


def test_capped_downloads_missing_after_a_crash_are_written_again() -> None:
    """The worker ended after it wrote a restated day, before the capped values of later ages."""
    ram = MemoryRam()
    ram.process(slice_of(Entry("a/b", grid([0, 10, 20, 30, 1_030, 1_040]))))
    late = slice_of(Entry("a/b", {day_of(1): GridRow(10, 1_000)}, known=2))
    ram.process(late, write_points=0.2)
    assert points_of(ram, "a/b")[1][1] == 1_000
    ram.process(late)
    whole = MemoryRam()
    whole.process(slice_of(Entry("a/b", grid([0, 10, 20, 30, 1_030, 1_040]))))
    whole.process(late)
    assert ram.point_rows() == whole.point_rows()


def test_capped_at_last_knot_adds_growth_since_last_whole_day() -> None:
    ram = MemoryRam()
    knot = (end_of(day_of(4)) + timedelta(hours=6), 1_500)
    ram.process(slice_of(Entry("a/b", grid([0, 10, 20, 30, 1_030]), knot=knot)))
    assert ram.latest_rows()["a/b"].capped == 130 + 470
    later = (end_of(day_of(4)) + timedelta(hours=9), 1_600)
    ram.state = ram.load()
    ram.process(slice_of(Entry("a/b", knot=later, known=2)))
    assert ram.latest_rows()["a/b"].capped == 130 + 570
    beyond = (end_of(day_of(365)) + timedelta(hours=1), 1_700)
    ram.process(slice_of(Entry("a/b", knot=beyond, known=3)))
    assert ram.latest_rows()["a/b"].capped is None


def test_release_date_before_1970_is_not_needed_for_early_days() -> None:
    ram = MemoryRam()
    first = date(1970, 1, 1)
    rows = {0: GridRow(4, None), 1: GridRow(6, 2)}
    ram.process(slice_of(Entry("a/b", rows, released_at=first)))
    assert {age: row[0] for age, row in points_of(ram, "a/b").items()} == {1: 4, 2: 6}
