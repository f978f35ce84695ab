"""Lines of the documentation fit a terminal and a review."""

from tests.support.project_files import REPOSITORY, project_files

LONGEST_LINE = 120


def too_long(page: str) -> list[int]:
    """Return the numbers of lines that are too long; a row of a table cannot be broken."""
    return [
        number
        for number, line in enumerate(page.splitlines(), 1)
        if len(line) > LONGEST_LINE and not line.startswith("|")
    ]


def test_no_line_of_the_docs_is_too_long() -> None:
    pages = project_files(".md")
    names = {path.name for path in pages}
    assert {"README.md", "ARCHITECTURE.md", "definitions.md", "charts.md"} <= names
    wrong = {
        str(path.relative_to(REPOSITORY)): lines
        for path in pages
        if (lines := too_long(path.read_text(encoding="utf-8")))
    }
    assert wrong == {}


def test_long_line_is_found_outside_tables() -> None:
    assert too_long(f"short\n{'x' * 121}\n| {'x' * 121} |\n```\n{'y' * 121}\n```") == [2, 5]
