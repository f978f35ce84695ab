"""`breakout demo`: a real season, or invented years, through the whole pipeline in minutes."""

import asyncio
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, closing
from datetime import timedelta
from pathlib import Path

import click
from rich.text import Text

from breakout.cli.console import console
from breakout.cli.demo_data import INVENTED, LONGEST_DAYS, SEASON, SHORTEST_DAYS, DemoData
from breakout.cli.demo_mark import mark_database
from breakout.cli.demo_progress import DemoProgress, demo_progress
from breakout.cli.demo_report import print_report
from breakout.cli.demo_settings import free_port, given_servers, own_servers
from breakout.cli.errors import CommandFailedError
from breakout.cli.interruption import until_interrupted
from breakout.cli.replay_process import ReplayProcess, replay_process
from breakout.cli.simulated_hub import SimulatedHubProcess
from breakout.cli.start import start
from breakout.clickhouse.client import reader_client
from breakout.clickhouse.errors import explained
from breakout.clickhouse.migrations import migrate
from breakout.kafka.status import count_published_observations, read_kafka_status
from breakout.processes.child import running
from breakout.processes.program import Program, breakout_command, changed_environment
from breakout.settings import Settings

CATCH_UP_SECONDS = 300.0
POLL_SECONDS = 1.0


@click.command()
@click.option("--invented", is_flag=True, help="Replay invented models, which have every signal.")
@click.option(
    "--days",
    type=click.IntRange(SHORTEST_DAYS, LONGEST_DAYS),
    help=f"Days to replay: the first days of the season, or the last ones of the invented models.  "
    f"[default: {SEASON.days}, the whole season; {INVENTED.days} with --invented]",
)
@click.option("--keep", is_flag=True, help="Keep the data, and print how to query it.")
@click.option(
    "--here", is_flag=True, help="Use the Kafka and the empty ClickHouse database of the settings."
)
@click.pass_context
def demo(
    context: click.Context, *, invented: bool, days: int | None, keep: bool, here: bool
) -> None:
    """Watch a real season of launches pass through the whole pipeline.

    A local Hub serves 830 real launches of July 2024 to February 2025 day by day; the real
    collectors scrape it once a day of the season, real Kafka records, stream workers and
    ClickHouse do the rest. It ends with the leaderboard, the breakouts and the web page.

    The season has download counters only. With --invented, simulated sources serve two years of
    invented models with every signal instead: inference, derivatives, leaderboards, ModelScope.

    The demo uses free ports and a temporary directory, which it removes unless --keep is given.
    With --here it fills the servers of the settings instead, so that dashboards can be tried. A
    database holds either the season or invented models, never both, nor observed data.
    """
    given = start()
    data = INVENTED if invented else SEASON
    days = data.days if days is None else days
    if days > data.longest_days:
        raise click.UsageError(
            f"--days {days} is longer than the season: choose at most {data.longest_days}, or add "
            "--invented"
        )
    if here and keep:
        raise click.UsageError("--keep cannot be combined with --here, which always keeps the data")
    directory = Path(tempfile.mkdtemp(prefix="breakout-demo-"))
    settings, environment = given_servers(given) if here else own_servers(directory)
    # The progress display replaces the log.
    logging.getLogger().setLevel(logging.WARNING)
    console().print(
        Text.assemble(
            (data.title, "bold"),
            f": {data.description} {days} days of daily scrapes go through Kafka, a stream worker "
            "and ClickHouse.",
        )
    )

    watched = sys.stdin.isatty() and sys.stdout.isatty()

    async def run(stack: AsyncExitStack) -> None:
        page = await _run(
            data, settings, environment, directory, days, stack, here=here, watched=watched
        )
        if page is not None:
            click.echo(f"\nThe page stays at {page} until Ctrl-C.")
            await asyncio.Event().wait()

    try:
        code = asyncio.run(until_interrupted(run, farewell="stopping the demo"))
    except Exception:
        click.echo(f"the logs are in {directory}", err=True)
        raise
    if keep:
        click.echo(_how_to_query(settings))
    else:
        shutil.rmtree(directory, ignore_errors=True)
    context.exit(code)


async def _run(
    data: DemoData,
    settings: Settings,
    environment: Mapping[str, str | None],
    logs: Path,
    days: int,
    stack: AsyncExitStack,
    *,
    here: bool,
    watched: bool,
) -> str | None:
    """Replay the days. Returns the address of the page, which is served if ``watched``."""
    started = time.monotonic()
    progress = stack.enter_context(demo_progress(days + 1))
    progress.step(f"starting {'' if here else 'Kafka, ClickHouse and '}the simulated Hub")
    hub = await stack.enter_async_context(data.hub(days, logs))
    if not here:
        # They need the extra `local`, which servers elsewhere do not.
        from breakout.cli.embedded import embedded_options  # noqa: PLC0415
        from breakout.local.runtime import embedded_servers  # noqa: PLC0415

        # Not restarted: a broker that exits loses its records, so the demo has failed.
        await stack.enter_async_context(embedded_servers(embedded_options(settings)))
    await asyncio.to_thread(migrate, settings, give_up_after=10)
    await asyncio.to_thread(mark_database, settings, data.mark)
    children = {**environment, **hub.addresses, **data.settings(logs)}
    await _keep_running("worker", ["worker"], children, logs, stack)
    page = await _serve_page(children, logs, stack) if watched else None
    if page is not None:
        progress.note(f"Watch it live: {page}")
    collectors = await stack.enter_async_context(replay_process(children, logs / "collectors.log"))
    watching = asyncio.create_task(_watch(settings, progress))
    try:
        await _collect(data, hub, collectors, days, progress)
        progress.step("waiting for the worker to catch up")
        observations = await _caught_up(settings)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    progress.stop()
    with explained(settings), closing(reader_client(settings)) as client:
        print_report(client, console(), data, observations, time.monotonic() - started)
    return page


async def _collect(
    data: DemoData,
    hub: SimulatedHubProcess,
    collectors: ReplayProcess,
    days: int,
    progress: DemoProgress,
) -> None:
    """Collect day after day, as fast as the collectors run."""
    for number in range(days + 1):
        day = hub.last - timedelta(days=days - number)
        await hub.set_clock(day)
        for source in data.due(number, days):
            await collectors.collect(source, day)
        progress.day(day)
    for source in data.sources_at_end:
        await collectors.collect(source, hub.last)


async def _serve_page(
    environment: Mapping[str, str | None], logs: Path, stack: AsyncExitStack
) -> str:
    """Serve the page until the stack unwinds; returns its address."""
    port = free_port()
    own = {
        "BREAKOUT_API_HOST": "127.0.0.1",
        "BREAKOUT_API_PORT": str(port),
        "BREAKOUT_API_KEYS_FILE": None,
    }
    await _keep_running("page", ["api"], {**environment, **own}, logs, stack)
    return f"http://127.0.0.1:{port}/"


async def _keep_running(
    name: str,
    arguments: Sequence[str],
    environment: Mapping[str, str | None],
    logs: Path,
    stack: AsyncExitStack,
) -> None:
    """Run a command of `breakout`, restarting it when it exits, until the stack unwinds."""
    command = breakout_command(*arguments)
    program = Program(name, command, changed_environment(environment), logs / f"{name}.log")
    child = await stack.enter_async_context(running(program))
    restarts = asyncio.create_task(child.keep_running())
    stack.callback(restarts.cancel)


async def _watch(settings: Settings, progress: DemoProgress) -> None:
    with closing(reader_client(settings)) as client:
        while True:
            with explained(settings):
                rows = await asyncio.to_thread(
                    client.query,
                    "SELECT (SELECT count() FROM downloads_log), "
                    "(SELECT count() FROM breakouts WHERE baseline = 'live')",
                )
            progress.count(*rows.result_rows[0])
            await asyncio.sleep(POLL_SECONDS)


async def _caught_up(settings: Settings) -> int:
    """Wait until all published observations can be queried; returns how many there are."""
    published = await count_published_observations(settings)
    rows = 0
    try:
        async with asyncio.timeout(CATCH_UP_SECONDS):
            while True:
                kafka = await read_kafka_status(settings)
                rows = await asyncio.to_thread(_count_rows, settings)
                if not any(lag.records for lag in kafka.lags) and rows == published:
                    return published
                await asyncio.sleep(POLL_SECONDS / 4)
    except TimeoutError:
        raise CommandFailedError(
            f"only {rows:,} of {published:,} published observations could be queried within "
            f"{CATCH_UP_SECONDS:.0f} s: see worker.log"
        ) from None


def _count_rows(settings: Settings) -> int:
    with explained(settings), closing(reader_client(settings)) as client:
        return int(client.query("SELECT count() FROM downloads_log FINAL").result_rows[0][0])


def _how_to_query(settings: Settings) -> str:
    url, data = settings.clickhouse_url, settings.data_dir
    kafka = settings.kafka_bootstrap_servers
    return (
        "\nThe data was kept. To query it:\n"
        f"  export BREAKOUT_DATA_DIR={data} CLICKHOUSE_URL={url} KAFKA_BOOTSTRAP_SERVERS={kafka}\n"
        "  breakout embedded &\n"
        "  breakout top --all\n"
        f"  rm -r {data.parent}    # when done"
    )
