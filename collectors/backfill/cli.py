"""The command `breakout backfill`."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import (
    Progress as ProgressBar,
)

from breakout.cli.console import PlainConsole, echo
from breakout.observability.logging import configure_logging
from breakout.settings import Settings, read_settings
from collectors.backfill.archives import ARCHIVES
from collectors.backfill.own_file import OwnFileError
from collectors.backfill.run import Done, backfill_archive, backfill_file, lines
from collectors.scheduling.job import EXPECTED, Progress

PARTIAL = 3
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM

_DATE = click.DateTime(formats=["%Y-%m-%d"])
_AGAIN = click.option("--again", is_flag=True, help="Publish what was published before, too.")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Read and tell, publish nothing.")


@click.group()
def backfill() -> None:
    """Publish history from before the first scrape, so that RAM works on day one.

    What was published before is left out; running it twice changes nothing. Exit codes: 0
    complete, 1 failed, 3 published in part, 130 interrupted: a second start goes on from there.
    """


def _archive(name: str) -> click.Command:
    @click.command(name, help=f"Publish the snapshots of {name}, of the tracked models only.")
    @click.option("--since", type=_DATE, help="First day, UTC.")
    @click.option("--until", type=_DATE, help="Last day, UTC.")
    @_AGAIN
    @_DRY_RUN
    @click.pass_context
    def command(
        ctx: click.Context,
        *,
        since: datetime | None,
        until: datetime | None,
        again: bool,
        dry_run: bool,
    ) -> None:
        async def run(settings: Settings, progress: Progress) -> Done:
            return await backfill_archive(
                settings,
                name,
                since=since and since.replace(tzinfo=UTC),
                until=until and until.replace(hour=23, minute=59, second=59, tzinfo=UTC),
                again=again,
                dry_run=dry_run,
                on_progress=progress,
                say=echo if dry_run else _say_nothing,
            )

        _do(ctx, run, dry_run=dry_run)

    return command


for _name in ARCHIVES:
    backfill.add_command(_archive(_name))


@backfill.command("file")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--source",
    type=click.Choice(["huggingface", "modelscope"]),
    default="huggingface",
    show_default=True,
    help="Whose counters they are.",
)
@_AGAIN
@_DRY_RUN
@click.pass_context
def own_file(ctx: click.Context, *, path: Path, source: str, again: bool, dry_run: bool) -> None:
    """Publish a CSV (.csv, .csv.gz) or Parquet file of one's own.

    Its columns, in any order and case: model_id, observed_at (ISO 8601 with a time zone, or a
    date), downloads_all_time, and if there downloads_30d and likes. A count may have an exponent
    (1e+05); NA and nothing are no count. A file without a row is an error.
    """

    async def run(settings: Settings, progress: Progress) -> Done:
        return await backfill_file(
            settings,
            path,
            source,
            again=again,
            dry_run=dry_run,
            on_progress=progress,
            say=echo,
        )

    _do(ctx, run, dry_run=dry_run)


def _do(
    ctx: click.Context,
    run: Callable[[Settings, Progress], Coroutine[Any, Any, Done]],
    *,
    dry_run: bool,
) -> None:
    try:
        settings = read_settings()
        with _progress(settings) as progress:
            done = asyncio.run(_until_told(run(settings, progress)))
    except (*EXPECTED, OwnFileError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("interrupted: start it again to go on", err=True)
        ctx.exit(INTERRUPTED)
    except asyncio.CancelledError:
        click.echo("stopped: start it again to go on", err=True)
        ctx.exit(TERMINATED)
    for line in lines(done):
        echo(f"would publish: {line}" if dry_run else line)
        dry_run = False
    ctx.exit(0 if done.complete else PARTIAL)


async def _until_told(work: Coroutine[Any, Any, Done]) -> Done:
    """End on SIGTERM as on Ctrl-C."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


def _say_nothing(_line: str) -> None:
    pass


@contextmanager
def _progress(settings: Settings) -> Iterator[Progress]:
    """Show a bar on a terminal; elsewhere the end is enough."""
    if not sys.stderr.isatty():
        configure_logging(settings)
        yield lambda _done, _total: None
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with ProgressBar(*columns, console=PlainConsole(stderr=True), transient=True) as bar:
        # Only now, so that log lines go above the bar.
        configure_logging(settings)
        task = bar.add_task("publishing history", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
