"""The command `breakout collect`."""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import click

from breakout.observability.logging import configure_logging
from breakout.observability.metrics_server import start_metrics
from breakout.settings import Settings, read_settings
from collectors.command import PARTIAL, TERMINATED, cancel_on_sigterm, progress_bar
from collectors.scheduling.job import EXPECTED_ERRORS, Job
from collectors.scheduling.leader_lease import run_as_leader
from collectors.scheduling.outcome import Outcome
from collectors.scheduling.report import log_outcome, summary
from collectors.scheduling.schedule import State
from collectors.sources.jobs import JOBS, is_set
from collectors.sources.registry import RegistryJob

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""The earliest date of the tables."""
_KAFKA_SECONDS = 30.0
_REGISTRY_SECONDS = 300.0


class _ObservedAt(click.ParamType):
    name = "ISO8601"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"must be a time such as 2026-08-22T11:00:00Z, got {value!r}", param, ctx)
        if at.tzinfo is None:
            self.fail(f"must have a time zone, such as {at.isoformat()}Z", param, ctx)
        if at.year < _FIRST.year - 1 or at < _FIRST:
            self.fail(f"must not be before {_FIRST:%Y-%m-%dT%H:%M:%SZ}, got {value}", param, ctx)
        if at > datetime.now(UTC):
            self.fail(f"must not be in the future, got {value}", param, ctx)
        at = at.astimezone(UTC)
        return at.replace(microsecond=at.microsecond // 1000 * 1000)


ALL = "all"


@click.command()
@click.argument(
    "sources",
    metavar="SOURCE...",
    type=click.Choice([*JOBS, ALL]),
    nargs=-1,
    required=True,
)
@click.option("--once", is_flag=True, help="Collect once and exit.")
@click.option(
    "--observed-at",
    type=_ObservedAt(),
    help="Time of the observation, with its time zone; only with --once.",
)
@click.pass_context
def collect(
    ctx: click.Context, sources: tuple[str, ...], once: bool, observed_at: datetime | None
) -> None:
    """Collect sources and publish to Kafka, each whenever it is due, or once.

    SOURCE is registry, huggingface, openrouter, derivatives, arena, artificial-analysis,
    modelscope, or all: those whose API key is set. Of several instances of a collector, one is
    the leader and the others stand by. Exit codes: 0 complete, 1 failed, 3 partially published
    (the log has what is missing), 130 interrupted.
    """
    if observed_at is not None and not once:
        raise click.UsageError("--observed-at needs --once")
    try:
        settings = read_settings()
        wanted = selected(settings, sources)
        if once:
            ctx.exit(max(_once(settings, JOBS[name], observed_at) for name in wanted))
        configure_logging(settings)
        _run_continuously(settings, [JOBS[name](settings) for name in wanted])
    except EXPECTED_ERRORS as error:
        raise click.ClickException(str(error)) from error
    except asyncio.CancelledError:
        ctx.exit(TERMINATED)


def selected(settings: Settings, sources: Iterable[str]) -> list[str]:
    """Return the sources to collect, each once, in the order of `JOBS`.

    `all` skips those whose API key is not set, with a message.
    """
    named = set(sources)
    if ALL in named:
        for name, job in JOBS.items():
            if job.required_setting and not is_set(settings, job.required_setting):
                click.echo(f"{name}: skipped, {job.required_setting} is not set", err=True)
            else:
                named.add(name)
    return [name for name in JOBS if name in named]


def _once(settings: Settings, kind: type[Job], observed_at: datetime | None) -> int:
    with progress_bar(settings, "collecting") as progress:
        job = kind(settings, give_up_after=_KAFKA_SECONDS, on_progress=progress)
        outcome = _run(job, observed_at)
    click.echo(summary(outcome))
    return 0 if outcome.complete else PARTIAL


def _run(job: Job, observed_at: datetime | None) -> Outcome:
    async def run() -> Outcome:
        cancel_on_sigterm()
        outcome = await job.run(observed_at)
        log_outcome(outcome)
        return outcome

    return asyncio.run(run())


def _run_continuously(settings: Settings, jobs: Sequence[Job]) -> None:
    # Imports the ClickHouse client, which would slow down `--once` for nothing.
    from breakout.observability.heartbeat import Heartbeat  # noqa: PLC0415

    address = start_metrics(settings)

    async def run() -> None:
        cancel_on_sigterm()
        registry_done = asyncio.Event()
        if RegistryJob.name not in (job.name for job in jobs):
            registry_done.set()
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(run_job(job, registry_done))

    async def run_job(job: Job, registry_done: asyncio.Event) -> None:
        heartbeat = Heartbeat(settings, f"collector:{job.name}", metrics_address=address)

        async def on_state(state: State, error: str | None) -> None:
            heartbeat.beat(state)
            if error:
                heartbeat.failed(error)
            if job.name == RegistryJob.name and state in {"idle", "waiting"}:
                registry_done.set()

        with heartbeat:
            if job.name != RegistryJob.name:
                # They depend on the registry, and share the Hub's rate limit with it.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_REGISTRY_SECONDS):
                        await registry_done.wait()
            await run_as_leader(job, on_state=on_state)

    asyncio.run(run())
