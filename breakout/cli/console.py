"""Output of the commands.

It contains names and messages from outside, so markup is off and control characters are escaped.
"""

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from breakout.observability.printable import printable

FILE_WIDTH = 120

Command = TypeVar("Command", bound=Callable[..., Any])


class PlainConsole(Console):
    """A console without markup: styles come from `Text` objects only."""

    def __init__(self, *, stderr: bool = False, width: int | None = None) -> None:
        super().__init__(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)

    def print(self, *objects: Any, crop: bool = False, **options: Any) -> None:
        """Print without cutting off a line that is longer than the terminal is wide."""
        super().print(*objects, crop=crop, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a string as text, escaped before its width is measured."""
        return super().render_str(printable(text), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield segments as usual, with control characters of their texts escaped."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(printable(text), style)


def console() -> PlainConsole:
    """Return standard output, as wide as the terminal, or 120 columns without one."""
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        return PlainConsole()
    return PlainConsole(width=FILE_WIDTH)


def format_option(*formats: str) -> Callable[[Command], Command]:
    """Return the option --format of a command, whose default is the first."""
    return click.option(
        "--format", "style", type=click.Choice(formats), default=formats[0], show_default=True
    )


def echo(text: str, *, err: bool = False) -> None:
    """Print one or more lines with control characters escaped."""
    click.echo(printable(text), err=err)


def echo_data(text: str) -> None:
    """Print data unchanged to a file or pipe, and as `echo` does to a terminal."""
    click.echo(printable(text) if sys.stdout.isatty() else text, nl=False)
