"""The command `breakout backfill`."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from breakout.cli.console import echo
from breakout.cli.groups import NamingGroup
from breakout.settings import Settings, read_settings
from collectors.backfill.archives import ARCHIVES
from collectors.backfill.observations_file import ObservationsFileError
from collectors.backfill.run import Result, backfill_archive, backfill_file, report
from collectors.command import INTERRUPTED, PARTIAL, TERMINATED, cancel_on_sigterm, progress_bar
from collectors.scheduling.job import EXPECTED_ERRORS, Progress

_DATE = click.DateTime(formats=["%Y-%m-%d"])
_AGAIN = click.option("--again", is_flag=True, help="Also publish what was published before.")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Read and report, publish nothing.")


@click.group(cls=NamingGroup)
def backfill() -> None:
    """Publish history from before the first scrape, so that RAM is available from day one.

    What was published before is skipped; running it twice changes nothing. Exit codes: 0
    complete, 1 failed, 3 partially published, 130 interrupted: a second run continues from there.
    """


def _archive(name: str) -> click.Command:
    @click.command(name, help=f"Publish the snapshots of {name}, for the tracked models only.")
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
        async def run(settings: Settings, progress: Progress) -> Result:
            return await backfill_archive(
                settings,
                name,
                since=since and since.replace(tzinfo=UTC),
                until=until and until.replace(hour=23, minute=59, second=59, tzinfo=UTC),
                again=again,
                dry_run=dry_run,
                on_progress=progress,
                say=echo if dry_run else lambda _line: None,
            )

        _run(ctx, run, dry_run=dry_run)

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
    help="Source of the counters.",
)
@_AGAIN
@_DRY_RUN
@click.pass_context
def file_command(
    ctx: click.Context, *, path: Path, source: str, again: bool, dry_run: bool
) -> None:
    """Publish a CSV (.csv, .csv.gz) or Parquet file of observations.

    Its columns, in any order and case: model_id, observed_at (ISO 8601 with a time zone, or a
    date), downloads_all_time, and optionally downloads_30d, likes and created_at (of the
    repository): where downloads_all_time is null and created_at is less than 30 days before,
    downloads_30d is used in its place. A count may have an exponent (1e+05); NA and an empty value
    are null. A file without rows is an error.
    """

    async def run(settings: Settings, progress: Progress) -> Result:
        return await backfill_file(
            settings,
            path,
            source,
            again=again,
            dry_run=dry_run,
            on_progress=progress,
            say=echo,
        )

    _run(ctx, run, dry_run=dry_run)


def _run(
    ctx: click.Context,
    run: Callable[[Settings, Progress], Coroutine[Any, Any, Result]],
    *,
    dry_run: bool,
) -> None:
    async def run_until_sigterm(settings: Settings, progress: Progress) -> Result:
        cancel_on_sigterm()
        return await run(settings, progress)

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    try:
        settings = read_settings()
        with progress_bar(settings, "publishing history", *columns) as progress:
            result = asyncio.run(run_until_sigterm(settings, progress))
    except (*EXPECTED_ERRORS, ObservationsFileError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("interrupted: run it again to continue", err=True)
        ctx.exit(INTERRUPTED)
    except asyncio.CancelledError:
        click.echo("stopped: run it again to continue", err=True)
        ctx.exit(TERMINATED)
    for line in report(result):
        echo(f"would publish: {line}" if dry_run else line)
        dry_run = False
    ctx.exit(0 if result.complete else PARTIAL)
