"""Tables that break no name within a word and no number, however narrow the terminal is.

Cells wrap at spaces, and at the separators of names where a word alone is too long. Where not even
that fits, each row is a list of its columns, one a line, as psql's expanded display does.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from breakout.observability.printable import printable

Cell = str | Text
_PART = re.compile(r"[^/_-]*[/_-]+|[^/_-]+")
"""A word of a name with the separators after it."""
_GAP = 2
"""Blank columns between two columns of a table."""


@dataclass(frozen=True)
class Column:
    """A column: `wraps` if its texts may take several lines, `right` for numbers."""

    title: str
    wraps: bool = False
    right: bool = False


def fitting(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int
) -> RenderableType:
    """Return rows as a table of at most so many columns of a terminal, or as lists."""
    cells = [[_text(cell) for cell in row] for row in rows]
    widths = _widths(columns, cells, width)
    return _lists(columns, cells, width) if widths is None else _table(columns, cells, widths)


def wrapped(text: str, width: int) -> list[str]:
    """Return the lines of a text; one is longer than `width` only if it is a single word."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(joined) <= width:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        for part in _parts(word, width):
            if lines[-1] and cell_len(lines[-1] + part) > width:
                lines.append("")
            lines[-1] += part
    return lines


def sentences(text: str, width: int, style: str = "") -> Text:
    """Return text that wraps like a cell."""
    return _unbroken(Text("\n".join(wrapped(text, width)), style=style))


def _unbroken(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ignore"
    return text


def _parts(word: str, width: int) -> list[str]:
    return [word] if cell_len(word) <= width else _PART.findall(word)


def _widths(
    columns: Sequence[Column], cells: Sequence[Sequence[Text]], width: int
) -> list[int] | None:
    """Return the width of each column; None if their longest words do not fit."""
    texts = [[row[number].plain for row in cells] for number in range(len(columns))]
    longest = [
        max(map(cell_len, [column.title, *own])) for column, own in zip(columns, texts, strict=True)
    ]
    least = [
        max([_least(column.title), *map(_least if column.wraps else cell_len, own)])
        for column, own in zip(columns, texts, strict=True)
    ]
    room = width - _GAP * (len(columns) - 1) - sum(least)
    if room < 0:
        return None
    widths = list(least)
    while room and any(now < most for now, most in zip(widths, longest, strict=True)):
        shortest = max(range(len(widths)), key=lambda n: longest[n] - widths[n])
        widths[shortest] += 1
        room -= 1
    return widths


def _least(text: str) -> int:
    return max((cell_len(part) for word in text.split() for part in _PART.findall(word)), default=0)


def _table(
    columns: Sequence[Column], cells: Sequence[Sequence[Text]], widths: Sequence[int]
) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column, width in zip(columns, widths, strict=True):
        table.add_column(
            "\n".join(wrapped(column.title, width)),
            justify="right" if column.right else "left",
            width=width,
            no_wrap=True,
        )
    for row in cells:
        table.add_row(
            *(
                Text("\n".join(wrapped(cell.plain, width)), style=cell.style)
                if column.wraps
                else cell
                for column, cell, width in zip(columns, row, widths, strict=True)
            )
        )
    return table


def _lists(columns: Sequence[Column], cells: Sequence[Sequence[Text]], width: int) -> Group:
    titles = max((cell_len(column.title) for column in columns), default=0) + _GAP
    lines: list[Text] = []
    for row in cells:
        lines.append(Text())
        for column, cell in zip(columns, row, strict=True):
            if not cell.plain:
                continue
            room = max(1, width - titles)
            shown = wrapped(cell.plain, room) if column.wraps else [cell.plain]
            for number, line in enumerate(shown):
                title = column.title if number == 0 else ""
                gap = " " * (titles - cell_len(title))
                lines.append(_unbroken(Text.assemble((title, "bold"), gap, (line, cell.style))))
    return Group(*lines, Text())


def _text(cell: Cell) -> Text:
    return Text(printable(cell)) if isinstance(cell, str) else cell
