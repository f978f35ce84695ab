"""The command `breakout collect`."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.progress import Progress as ProgressBar

from breakout.logging import configure_logging
from breakout.settings import Settings, read_settings
from breakout.telemetry import start_metrics
from collectors.job import EXPECTED, Job, Outcome, Progress
from collectors.jobs import JOBS
from collectors.report import log_outcome, summary
from collectors.schedule import State, run_for_ever

PARTIAL = 3
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM

_KAFKA_SECONDS = 30.0


class _ObservedAt(click.ParamType):
    name = "ISO8601"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"must be a moment such as 2026-08-22T11:00:00Z, got {value!r}", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"must have a time zone, as {moment.isoformat()}Z", param, ctx)
        if moment > datetime.now(UTC):
            self.fail(f"must not be in the future, got {value}", param, ctx)
        moment = moment.astimezone(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@click.command()
@click.argument("source", type=click.Choice(list(JOBS)))
@click.option("--once", is_flag=True, help="Collect once and end.")
@click.option(
    "--observed-at",
    type=_ObservedAt(),
    help="Moment of the observation, with its time zone; only with --once.",
)
@click.pass_context
def collect(ctx: click.Context, source: str, once: bool, observed_at: datetime | None) -> None:
    """Read SOURCE and publish what it says to Kafka, for ever or once.

    Exit codes: 0 complete, 1 failed, 3 published in part (the log says what is missing), 130
    interrupted.
    """
    if observed_at is not None and not once:
        raise click.UsageError("--observed-at needs --once")
    try:
        settings = read_settings()
        if once:
            with _progress(settings) as progress:
                job = JOBS[source](settings, give_up_after=_KAFKA_SECONDS, on_progress=progress)
                outcome = _run(job, observed_at)
            click.echo(summary(outcome))
            ctx.exit(0 if outcome.complete else PARTIAL)
        configure_logging(settings)
        _run_for_ever(JOBS[source](settings))
    except EXPECTED as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        ctx.exit(INTERRUPTED)
    except asyncio.CancelledError:
        ctx.exit(TERMINATED)


def _run(job: Job, observed_at: datetime | None) -> Outcome:
    async def run() -> Outcome:
        _cancel_on_termination()
        outcome = await job.run(observed_at)
        log_outcome(outcome)
        return outcome

    return asyncio.run(run())


def _run_for_ever(job: Job) -> None:
    # It brings the ClickHouse client along, which `--once` would wait for in vain.
    from breakout.heartbeat import Heartbeat  # noqa: PLC0415

    address = start_metrics(job.settings)
    heartbeat = Heartbeat(job.settings, f"collector:{job.name}", metrics_address=address)

    async def tell(state: State, error: str | None) -> None:
        heartbeat.beat(state)
        if error:
            heartbeat.failed(error)

    async def run() -> None:
        _cancel_on_termination()
        await run_for_ever(job, on_state=tell)

    with heartbeat:
        asyncio.run(run())


def _cancel_on_termination() -> None:
    """End on SIGTERM as on Ctrl-C: with what was published acknowledged and said."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


@contextmanager
def _progress(settings: Settings) -> Iterator[Progress]:
    """Show a bar on a terminal; elsewhere the log is enough."""
    if not sys.stderr.isatty():
        configure_logging(settings)
        yield lambda _done, _total: None
        return
    with ProgressBar(console=Console(stderr=True), transient=True) as bar:
        # Only now, so that log lines go above the bar.
        configure_logging(settings)
        task = bar.add_task("asking the source", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
