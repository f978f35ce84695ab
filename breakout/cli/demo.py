"""`breakout demo`: simulated years through the whole pipeline, in a minute or two."""

import asyncio
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from rich.text import Text

from breakout.cli.console import console
from breakout.cli.demo_progress import DemoProgress, demo_progress
from breakout.cli.demo_report import print_report
from breakout.cli.demo_settings import free_port, given_servers, own_servers
from breakout.cli.embedded import embedded_options
from breakout.cli.errors import CommandFailedError
from breakout.cli.interruption import until_interrupted
from breakout.cli.replay_process import replay_process
from breakout.cli.simulated_hub import simulated_hub
from breakout.cli.start import start
from breakout.clickhouse.client import reader_client, writer_client
from breakout.clickhouse.errors import explained
from breakout.clickhouse.migrations import migrate
from breakout.kafka.status import count_published_observations, read_kafka_status
from breakout.local.runtime import embedded_servers
from breakout.processes.child import running
from breakout.processes.program import Program, breakout_command, changed_environment
from breakout.settings import Settings

REGISTRY_DAYS = 7
LEADERBOARD_DAYS = 30
KEYS = ("OPENROUTER_API_KEY", "ARTIFICIAL_ANALYSIS_API_KEY")
"""API keys; the simulated sources accept any."""
CATCH_UP_SECONDS = 300.0
POLL_SECONDS = 1.0


@click.command()
@click.option(
    "--days", type=click.IntRange(14, 1500), default=730, show_default=True, help="Days to replay."
)
@click.option("--keep", is_flag=True, help="Keep the data, and print how to query it.")
@click.option(
    "--here", is_flag=True, help="Use the Kafka and the empty ClickHouse database of the settings."
)
@click.pass_context
def demo(context: click.Context, *, days: int, keep: bool, here: bool) -> None:
    """Watch simulated years pass through the whole pipeline, ending with the leaderboard.

    A simulated Hub serves invented models; the real collectors scrape it once a simulated day,
    real Kafka records, stream workers and ClickHouse do the rest. It uses free ports and a
    temporary directory, which it removes unless --keep is given. With --here it fills the servers
    of the settings instead, so that dashboards can be tried.
    """
    given = start()
    if here and keep:
        raise click.UsageError("--keep cannot be combined with --here, which always keeps the data")
    directory = Path(tempfile.mkdtemp(prefix="breakout-demo-"))
    settings, environment = given_servers(given) if here else own_servers(directory)
    # The progress display replaces the log.
    logging.getLogger().setLevel(logging.WARNING)
    console().print(
        Text.assemble(
            ("Simulated data", "bold"),
            f": every model and organisation is invented. {days} days of daily scrapes, through "
            "Kafka, a stream worker and ClickHouse.",
        )
    )

    watched = sys.stdin.isatty() and sys.stdout.isatty()
    done = False

    async def run(stack: AsyncExitStack) -> None:
        nonlocal done
        page = await _run(settings, environment, directory, days, stack, here=here, watched=watched)
        if page is not None:
            done = True
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
    # Once the page is served, Ctrl-C is the normal end.
    context.exit(0 if done else code)


async def _run(
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
    names = logs / "names.csv"
    hub = await stack.enter_async_context(simulated_hub(days, logs / "hub.log", names))
    if not here:
        # Not restarted: a broker that exits loses its records, so the demo has failed.
        await stack.enter_async_context(embedded_servers(embedded_options(settings)))
    await asyncio.to_thread(migrate, settings, give_up_after=10)
    if await asyncio.to_thread(_count_rows, settings):
        raise CommandFailedError(
            f"{settings.clickhouse} (CLICKHOUSE_URL) holds observations, which must not be mixed "
            "with invented ones: set CLICKHOUSE_URL to an empty database"
        )
    await asyncio.to_thread(_mark, settings)
    children = {
        **environment,
        **hub.addresses,
        "BREAKOUT_NAMES_FILE": str(names),
        **dict.fromkeys(KEYS, "any"),
    }
    await _keep_running("worker", ["worker"], children, logs, stack)
    page = await _serve_page(children, logs, stack) if watched else None
    if page is not None:
        progress.note(f"Watch it live: {page}")
    collectors = await stack.enter_async_context(replay_process(children, logs / "collectors.log"))

    async def collect() -> None:
        for number in range(days + 1):
            day = hub.last - timedelta(days=days - number)
            await hub.set_clock(day)
            if number % REGISTRY_DAYS == 0:
                await collectors.collect("registry", day)
            await collectors.collect("huggingface", day)
            # Counted from the end, so that the last day has all of them.
            if (days - number) % LEADERBOARD_DAYS == 0:
                for source in ("arena", "artificial-analysis", "modelscope"):
                    await collectors.collect(source, day)
            progress.day(day)
        # The first run of either reads the complete history.
        await collectors.collect("openrouter", hub.last)
        await collectors.collect("derivatives", hub.last)

    watching = asyncio.create_task(_watch(settings, progress))
    try:
        await collect()
        progress.step("waiting for the worker to catch up")
        observations = await _caught_up(settings)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    progress.stop()
    with explained(settings), closing(reader_client(settings)) as client:
        print_report(client, console(), observations, time.monotonic() - started)
    return page


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


def _mark(settings: Settings) -> None:
    """Mark the database as one of invented data."""
    with explained(settings), closing(writer_client(settings)) as client:
        client.insert("simulated", [["demo", datetime.now(UTC)]], ["what", "since"])


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
        return int(client.query("SELECT count() FROM downloads").result_rows[0][0])


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
