"""README's example is renewed from the demo's report."""

import pytest

from tools.readme import README, with_example

REPORT = [
    "Relative adoption (RAM) as of 2025-02-18\r\n",
    "1.00x is the baseline\r\n",
    " #  model\r\n",
    *(f"{place:>2}  org/model-{place}   \r\n" for place in range(1, 16)),
    "\r\n",
    "Breakouts: 12, the latest 10\r\n",
    "model\r\n",
    *(f"org/breakout-{number}\r\n" for number in range(1, 11)),
    "\r\n",
    "Bursts: 3\r\n",
    "model\r\n",
    *(f"org/burst-{number}\r\n" for number in range(1, 4)),
]


def test_example_has_the_first_rows_of_each_table() -> None:
    before = README.read_text(encoding="utf-8")
    after = with_example(before, REPORT)
    text, _, rest = after.partition("<!-- make readme -->\n```\n")
    example, _, end = rest.partition("```\n")
    assert before.startswith(text)
    assert before.endswith(end)
    lines = example.splitlines()
    assert lines[:4] == [
        "Relative adoption (RAM) as of 2025-02-18",
        "1.00x is the baseline",
        " #  model",
        " 1  org/model-1",
    ]
    assert lines[7:11] == [" 5  org/model-5", "...", "", "Breakouts: 12, the latest 10"]
    assert lines[-5:] == ["Bursts: 3", "model", "org/burst-1", "org/burst-2", "..."]


def test_readme_without_a_place_for_the_example_is_an_error() -> None:
    with pytest.raises(ValueError, match="has 0 examples"):
        with_example("# Breakout\n", REPORT)
