"""The demo's progress: a bar on a terminal, lines elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from breakout.cli.console import PlainConsole

LINES = 10


class DemoProgress:
    """Progress over the simulated days."""

    def __init__(self, bar: Progress, steps: int, *, interactive: bool) -> None:
        self._bar = bar
        self._steps = steps
        self._done = 0
        self._facts = "no observations yet"
        self._interactive = interactive
        self._task = bar.add_task("", total=steps, facts="")

    def step(self, description: str) -> None:
        """Show what the demo does now."""
        self._bar.update(self._task, description=description)
        if not self._interactive:
            click.echo(description)

    def note(self, text: str) -> None:
        """Print a line that stays on the screen."""
        self._bar.console.print(text)

    def day(self, day: datetime) -> None:
        """Count a simulated day as published."""
        self._done += 1
        self._bar.update(self._task, description=f"{day:%Y-%m-%d}", advance=1)
        if not self._interactive and self._done % max(self._steps // LINES, 1) == 0:
            click.echo(f"{day:%Y-%m-%d}: {self._facts}")

    def count(self, observations: int, breakouts: int) -> None:
        """Show what the pipeline has stored so far."""
        if observations:
            self._facts = f"{observations:,} observations, {breakouts} breakouts"
        self._bar.update(self._task, facts=self._facts)

    def stop(self) -> None:
        """Remove the bar from the screen."""
        self._bar.stop()


@contextmanager
def demo_progress(steps: int) -> Iterator[DemoProgress]:
    """Show the progress of so many simulated days on standard error."""
    interactive = sys.stderr.isatty()
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[facts]}", markup=False),
        TimeElapsedColumn(),
        console=PlainConsole(stderr=True),
        transient=True,
        disable=not interactive,
    ) as bar:
        yield DemoProgress(bar, steps, interactive=interactive)
