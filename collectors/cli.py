"""The command `breakout collect`."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import click
from rich.progress import Progress as ProgressBar

from breakout.cli.console import PlainConsole
from breakout.observability.logging import configure_logging
from breakout.observability.metrics_server import start_metrics
from breakout.settings import Settings, read_settings
from collectors.scheduling.job import EXPECTED, Job, Outcome, Progress
from collectors.scheduling.leader_lease import run_in_turn
from collectors.scheduling.report import log_outcome, summary
from collectors.scheduling.schedule import State
from collectors.sources.by_name import JOBS, has_key
from collectors.sources.registry import RegistryJob

PARTIAL = 3
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""The first moment of the tables' dates."""
_KAFKA_SECONDS = 30.0
_REGISTRY_SECONDS = 300.0


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
        if moment.year < _FIRST.year - 1 or moment < _FIRST:
            self.fail(f"must be from {_FIRST:%Y-%m-%dT%H:%M:%SZ} on, got {value}", param, ctx)
        if moment > datetime.now(UTC):
            self.fail(f"must not be in the future, got {value}", param, ctx)
        moment = moment.astimezone(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


EVERYTHING = "all"


@click.command()
@click.argument(
    "sources",
    metavar="SOURCE...",
    type=click.Choice([*JOBS, EVERYTHING]),
    nargs=-1,
    required=True,
)
@click.option("--once", is_flag=True, help="Collect once and end.")
@click.option(
    "--observed-at",
    type=_ObservedAt(),
    help="Moment of the observation, with its time zone; only with --once.",
)
@click.pass_context
def collect(
    ctx: click.Context, sources: tuple[str, ...], once: bool, observed_at: datetime | None
) -> None:
    """Read sources and publish what they say to Kafka, each when it is due, or once.

    SOURCE is registry, huggingface, openrouter, derivatives, arena, artificial-analysis,
    modelscope, or all: every one whose key is set. Of several instances that collect a source,
    one does so and the others stand by. Exit codes: 0 complete, 1 failed, 3 published in part
    (the log says what is missing), 130 interrupted.
    """
    if observed_at is not None and not once:
        raise click.UsageError("--observed-at needs --once")
    try:
        settings = read_settings()
        wanted = chosen(settings, sources)
        if once:
            ctx.exit(max(_once(settings, JOBS[name], observed_at) for name in wanted))
        configure_logging(settings)
        _run_for_ever(settings, [JOBS[name](settings) for name in wanted])
    except EXPECTED as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        ctx.exit(INTERRUPTED)
    except asyncio.CancelledError:
        ctx.exit(TERMINATED)


def chosen(settings: Settings, sources: Iterable[str]) -> list[str]:
    """Return the sources to collect, each once, in the order they are known by.

    `all` leaves out those whose key is not set, and says so.
    """
    named = set(sources)
    if EVERYTHING in named:
        for name, job in JOBS.items():
            if job.needs is not None and not has_key(settings, job.needs):
                click.echo(f"{name}: not collected, {job.needs} is not set", err=True)
            else:
                named.add(name)
    return [name for name in JOBS if name in named]


def _once(settings: Settings, kind: type[Job], observed_at: datetime | None) -> int:
    with _progress(settings) as progress:
        job = kind(settings, give_up_after=_KAFKA_SECONDS, on_progress=progress)
        outcome = _run(job, observed_at)
    click.echo(summary(outcome))
    return 0 if outcome.complete else PARTIAL


def _run(job: Job, observed_at: datetime | None) -> Outcome:
    async def run() -> Outcome:
        _cancel_on_termination()
        outcome = await job.run(observed_at)
        log_outcome(outcome)
        return outcome

    return asyncio.run(run())


def _run_for_ever(settings: Settings, jobs: Sequence[Job]) -> None:
    # It brings the ClickHouse client along, which `--once` would wait for in vain.
    from breakout.observability.heartbeat import Heartbeat  # noqa: PLC0415

    address = start_metrics(settings)

    async def run() -> None:
        _cancel_on_termination()
        registry_tried = asyncio.Event()
        if RegistryJob.name not in (job.name for job in jobs):
            registry_tried.set()
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(keep(job, registry_tried))

    async def keep(job: Job, registry_tried: asyncio.Event) -> None:
        heartbeat = Heartbeat(settings, f"collector:{job.name}", metrics_address=address)

        async def tell(state: State, error: str | None) -> None:
            heartbeat.beat(state)
            if error:
                heartbeat.failed(error)
            if job.name == RegistryJob.name and state in {"idle", "waiting"}:
                registry_tried.set()

        with heartbeat:
            if job.name != RegistryJob.name:
                # They ask the same Hub, which counts requests, and rest on the registry.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_REGISTRY_SECONDS):
                        await registry_tried.wait()
            await run_in_turn(job, on_state=tell)

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
    with ProgressBar(console=PlainConsole(stderr=True), transient=True) as bar:
        # Only now, so that log lines go above the bar.
        configure_logging(settings)
        task = bar.add_task("asking the source", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
