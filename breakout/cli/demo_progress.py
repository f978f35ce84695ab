"""The demo's progress: a bar on a terminal, a line now and then elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from breakout.cli.console import PlainConsole

LINES = 10


class DemoProgress:
    """What the demo is doing."""

    def __init__(self, bar: Progress, steps: int, *, interactive: bool) -> None:
        self._bar = bar
        self._steps = steps
        self._done = 0
        self._facts = "no observations yet"
        self._interactive = interactive
        self._task = bar.add_task("", total=steps, facts="")

    def say(self, what: str) -> None:
        """Say what is done now."""
        self._bar.update(self._task, description=what)
        if not self._interactive:
            click.echo(what)

    def note(self, what: str) -> None:
        """Say what shall stay on the screen."""
        self._bar.console.print(what)

    def day(self, day: datetime) -> None:
        """A simulated day has been published."""
        self._done += 1
        self._bar.update(self._task, description=f"{day:%Y-%m-%d}", advance=1)
        if not self._interactive and self._done % max(self._steps // LINES, 1) == 0:
            click.echo(f"{day:%Y-%m-%d}: {self._facts}")

    def found(self, observations: int, breakouts: int) -> None:
        """So much has come out of the pipeline so far."""
        self._facts = f"{observations:,} observations, {breakouts} breakouts"
        self._bar.update(self._task, facts=self._facts)

    def stop(self) -> None:
        """Take the bar off the screen."""
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
