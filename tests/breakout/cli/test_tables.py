"""Tables for terminals of any width."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from breakout.cli.console import PlainConsole
from breakout.cli.tables import Column, fitting, sentences, wrapped

COLUMNS = [Column("#", right=True), Column("model", wraps=True), Column("cumulative", right=True)]
NAMES = ["deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", "Qwen/Qwen2.5-VL-72B-Instruct (untracked)"]
ROWS = [["1", NAMES[0], "1,234,567,890"], ["2", NAMES[1], "12"]]
PARTS = {part for name in NAMES for part in re.findall(r"[^/\s-]+", name)}


def shown(width: int) -> list[str]:
    console = PlainConsole(width=width)
    with console.capture() as captured:
        console.print(fitting(COLUMNS, ROWS, width))
    return [line.rstrip() for line in captured.get().splitlines()]


@pytest.mark.parametrize("width", [*range(1, 75), 120])
def test_no_name_and_no_number_is_broken_at_any_width(width: int) -> None:
    text = "\n".join(shown(width))
    words = set(re.findall(r"[^/\s-]+", text))
    assert words >= PARTS
    assert {"1,234,567,890", "12"} <= set(text.split())
    assert "…" not in text


@pytest.mark.parametrize("width", [*range(45, 75), 120])
def test_a_table_is_not_wider_than_the_terminal(width: int) -> None:
    lines = shown(width)
    assert all(len(line) <= width for line in lines)
    assert lines[0].split() == ["#", "model", "cumulative"]


def test_where_it_fits_a_row_is_one_line() -> None:
    assert shown(80) == [
        "#  model                                         cumulative",
        "1  deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B  1,234,567,890",
        "2  Qwen/Qwen2.5-VL-72B-Instruct (untracked)              12",
    ]


def test_where_nothing_fits_each_row_is_a_list() -> None:
    assert shown(24) == [
        "",
        "#           1",
        "model       deepseek-ai/",
        "            DeepSeek-R1-",
        "            Distill-",
        "            Qwen-1.5B",
        "cumulative  1,234,567,890",
        "",
        "#           2",
        "model       Qwen/",
        "            Qwen2.5-VL-",
        "            72B-Instruct",
        "            (untracked)",
        "cumulative  12",
        "",
    ]


@given(st.text("ab/-_ ", max_size=60), st.integers(1, 30))
def test_wrapped_lines_hold_the_words_of_the_text(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert "".join(re.split(r"[/_\s-]+", " ".join(lines))) == "".join(re.split(r"[/_\s-]+", text))
    for line in lines:
        assert len(line) <= width or not re.search(r"\s|[/_-][^/_-]", line)


def test_styles_stay_and_text_of_others_is_no_markup() -> None:
    console = PlainConsole(width=30)
    with console.capture() as captured:
        console.print(
            fitting([Column("a", wraps=True), Column("b")], [["x[red]\x1b[1m", Text("y")]], 30),
            sentences("see github.com/Interconnects-AI/tracked-models", 12),
        )
    text = captured.get()
    assert r"x[red]\x1b[1m" in text
    assert text.split()[-4:] == ["github.com/", "Interconnects-", "AI/tracked-", "models"]
