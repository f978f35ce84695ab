"""Where the commands print.

What they print holds names and messages from outside: nothing of it is markup, and no control
character of it reaches a terminal.
"""

import os
import sys
from collections.abc import Iterable
from typing import Any

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from breakout.observability.printable import printable

WIDTH_OF_FILES = 120


class PlainConsole(Console):
    """A console that prints strings as they are: styles come from `Text` objects alone."""

    def __init__(self, *, stderr: bool = False, width: int | None = None) -> None:
        super().__init__(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a string as text; what is escaped has the width that is measured."""
        return super().render_str(printable(text), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield segments as usual, with control characters of their texts escaped."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(printable(text), style)


def console() -> PlainConsole:
    """Return standard output as wide as the terminal, or 120 columns when it is none."""
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        return PlainConsole()
    return PlainConsole(width=WIDTH_OF_FILES)


def echo(text: str, *, err: bool = False) -> None:
    """Print a line, or several, with control characters escaped."""
    click.echo(printable(text), err=err)


def echo_data(text: str) -> None:
    """Print data for a program as they are; for a person at a terminal as `echo` does."""
    click.echo(printable(text) if sys.stdout.isatty() else text, nl=False)
