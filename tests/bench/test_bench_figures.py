from io import StringIO

import pytest
from rich.console import Console

from bench.__main__ import RATIOS, SECTIONS, table
from bench.figures import Figure, Ratio, Target, formatted, ratios

RATIO = Ratio("ours / theirs", ("speed", "ours"), ("speed", "theirs"), Target(2))


def speed(name: str, value: float | None, note: str = "") -> Figure:
    return Figure("speed", name, value, "/s", note)


@pytest.mark.parametrize(("theirs", "expected", "met"), [(100, 3, True), (200, 1.5, False)])
def test_ratio_divides_two_figures(theirs: float, expected: float, met: bool) -> None:
    (ratio,) = ratios([RATIO], [speed("ours", 300), speed("theirs", theirs)])
    assert (ratio.value, ratio.met) == (expected, met)


def test_ratio_without_a_value_has_the_reason() -> None:
    (ratio,) = ratios([RATIO], [speed("ours", 300), speed("theirs", None, "no wheel")])
    assert ratio.value is None
    assert ratio.met is None
    assert ratio.note == "not measured: no wheel"


def test_section_that_did_not_run_has_no_ratio() -> None:
    assert ratios([RATIO], [speed("ours", 300)]) == []


@pytest.mark.parametrize(("bound", "at_least", "met"), [(1.0, True, True), (1.0, False, True)])
def test_target_is_met_at_its_bound(bound: float, at_least: bool, met: bool) -> None:
    assert Target(bound, at_least).met(1.0) is met
    assert Target(bound, at_least).met(1.01) is at_least
    assert Target(bound, at_least).met(0.99) is not at_least


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.01234, "0.0123"), (1.5, "1.5"), (20, "20"), (123456.7, "123,457")],
)
def test_numbers_have_three_significant_digits(value: float, text: str) -> None:
    assert formatted(value) == text


def test_every_ratio_names_sections() -> None:
    assert {section for ratio in RATIOS for section, _ in (ratio.of, ratio.to)} <= SECTIONS.keys()


def test_table_shows_missed_targets_and_reasons() -> None:
    figures = [speed("ours", 300), speed("theirs", None, "no wheel")]
    figures = [Figure("ratios", "ratio", 1.5, "x", target=Target(2)), *figures]
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
