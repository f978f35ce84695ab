"""The milestones of RAM: every copy in another language equals `breakout.core.ages.MILESTONES`."""

import re
from pathlib import Path

from breakout.core.ages import MILESTONES

REPOSITORY = Path(__file__).resolve().parents[3]


def numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


def test_page_has_same_milestones() -> None:
    script = (REPOSITORY / "api/page/assets/charts.js").read_text()
    found = re.search(r"export const MILESTONES = \[([0-9, ]+)\]", script)
    assert found
    assert numbers(found[1]) == MILESTONES


def test_sql_has_same_milestones() -> None:
    copies = [
        found
        for file in (REPOSITORY / "sql").rglob("*.sql")
        for found in re.findall(r"\bage_days IN \(([0-9]+(?:, [0-9]+)+)\)", file.read_text())
    ]
    assert copies
    assert {numbers(copy) for copy in copies} == {MILESTONES}
