"""What the commands `collect` and `backfill` share: exit codes, SIGTERM, a progress bar."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import Progress as ProgressBar
from rich.progress import ProgressColumn

from breakout.cli.console import PlainConsole
from breakout.observability.logging import configure_logging
from breakout.settings import Settings
from collectors.scheduling.job import Progress

PARTIAL = 3
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM


def cancel_on_sigterm() -> None:
    """Cancel the current task on SIGTERM, as `asyncio.run` does on Ctrl-C."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


@contextmanager
def progress_bar(
    settings: Settings, description: str, *columns: ProgressColumn
) -> Iterator[Progress]:
    """Configure logging, and show a progress bar on a terminal; elsewhere the log is enough."""
    if not sys.stderr.isatty():
        configure_logging(settings)
        yield lambda _done, _total: None
        return
    with ProgressBar(*columns, console=PlainConsole(stderr=True), transient=True) as bar:
        # Only now, so that log lines appear above the bar.
        configure_logging(settings)
        task = bar.add_task(description, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
