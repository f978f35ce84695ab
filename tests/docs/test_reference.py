"""The reference pages are what the code says today, and leave nothing without a meaning."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.reference import PAGES

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages written anew, in a process of their own: they start a ClickHouse engine."""
    folder = tmp_path_factory.mktemp("reference")
    subprocess.run([sys.executable, "-m", "tools.reference", folder], cwd=REPOSITORY, check=True)
    return folder


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_says(name: str, written: Path) -> None:
    page = (DOCS / name).read_text(encoding="utf-8")
    assert page == (written / name).read_text(encoding="utf-8"), "run `make reference`"


def without_meaning(page: str) -> list[str]:
    """Return the table rows whose last cell, the meaning, is empty."""
    return re.findall(r"^\|.*\| +\|$", page, re.MULTILINE)


@pytest.mark.parametrize("name", ["commands.md", "metrics.md", "tables.md", "topics.md"])
def test_everything_has_a_meaning(name: str) -> None:
    assert without_meaning((DOCS / name).read_text(encoding="utf-8")) == []


def test_every_setting_has_a_meaning() -> None:
    rows = re.findall(r"^\| `\w+` \|([^|]*)\|", (DOCS / "settings.md").read_text(), re.MULTILINE)
    assert rows
    assert all(meaning.strip() for meaning in rows)


def test_an_empty_meaning_would_be_seen() -> None:
    assert without_meaning("| `a` | x |\n| `b` |  |") == ["| `b` |  |"]
