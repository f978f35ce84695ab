"""Markdown of the reference pages."""

import textwrap
from collections.abc import Iterable, Sequence

LINE_LENGTH = 120
GENERATED = "<!-- Written by `make reference` from the code: change that, not this page. -->"


def page(title: str, *blocks: str) -> str:
    """Return a page: its title, then blocks with an empty line between them."""
    return "\n\n".join([GENERATED, f"# {title}", *map(_wrapped, blocks)]) + "\n"


def _wrapped(block: str) -> str:
    """Break a paragraph into lines; a table, a heading and code stay as they are."""
    if block.startswith(("|", "#", "```", "- ")):
        return block
    return textwrap.fill(block, LINE_LENGTH, break_long_words=False, break_on_hyphens=False)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a `|` within a cell is escaped, in code too, as GitHub wants it."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |"
        for line in lines
    )


def code(text: str) -> str:
    """Return a code span; an empty text stays empty."""
    return f"`{text}`" if text else ""
