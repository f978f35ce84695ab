from io import StringIO

import pytest
from rich.console import Console

from bench.__main__ import RATIOS, SECTIONS, table
from bench.figures import Aim, Figure, Ratio, ratios, said

RATIO = Ratio("ours / theirs", ("speed", "ours"), ("speed", "theirs"), Aim(2))


def speed(name: str, value: float | None, note: str = "") -> Figure:
    return Figure("speed", name, value, "/s", note)


@pytest.mark.parametrize(("theirs", "expected", "met"), [(100, 3, True), (200, 1.5, False)])
def test_a_ratio_is_one_figure_by_the_other(theirs: float, expected: float, met: bool) -> None:
    (ratio,) = ratios([RATIO], [speed("ours", 300), speed("theirs", theirs)])
    assert (ratio.value, ratio.met) == (expected, met)


def test_a_ratio_to_what_was_not_measured_says_why() -> None:
    (ratio,) = ratios([RATIO], [speed("ours", 300), speed("theirs", None, "no wheel")])
    assert ratio.value is None
    assert ratio.met is None
    assert ratio.note == "not measured: no wheel"


def test_a_section_that_did_not_run_has_no_ratios() -> None:
    assert ratios([RATIO], [speed("ours", 300)]) == []


@pytest.mark.parametrize(("bound", "at_least", "met"), [(1.0, True, True), (1.0, False, True)])
def test_an_aim_holds_at_its_bound(bound: float, at_least: bool, met: bool) -> None:
    assert Aim(bound, at_least).met(1.0) is met
    assert Aim(bound, at_least).met(1.01) is at_least
    assert Aim(bound, at_least).met(0.99) is not at_least


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.01234, "0.0123"), (1.5, "1.5"), (20, "20"), (123456.7, "123,457")],
)
def test_numbers_are_said_with_three_digits(value: float, text: str) -> None:
    assert said(value) == text


def test_every_ratio_is_of_a_section() -> None:
    assert {section for ratio in RATIOS for section, _ in (ratio.of, ratio.to)} <= SECTIONS.keys()


def test_the_table_says_what_was_missed_and_what_could_not_be_measured() -> None:
    figures = [speed("ours", 300), speed("theirs", None, "no wheel")]
    figures = [Figure("ratios", "ratio", 1.5, "x", aim=Aim(2)), *figures]
    shown = Console(file=StringIO(), width=150)
    shown.print(table(figures))
    assert isinstance(shown.file, StringIO)
    lines = shown.file.getvalue().splitlines()
    row = {
        name: next(line for line in lines if f"  {name}" in line) for name in ("ratio", "theirs")
    }
    assert "1.5 x" in row["ratio"]
    assert "missed" in row["ratio"]
    assert "no wheel" in row["theirs"]
