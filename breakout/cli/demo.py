"""`breakout demo`: simulated years through the whole pipeline, in a minute or two."""

import asyncio
import logging
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from rich.text import Text

from breakout.cli.console import console
from breakout.cli.demo_progress import DemoProgress, demo_progress
from breakout.cli.demo_report import print_report
from breakout.cli.embedded import embedded_options
from breakout.cli.errors import CommandFailed
from breakout.cli.interruption import until_interrupted
from breakout.cli.replay_process import replay_process
from breakout.cli.simulated_hub import simulated_hub
from breakout.cli.start import start
from breakout.cli.supervisor import Child, Program, stop_in_order
from breakout.clickhouse.client import explained, reader_client, writer_client
from breakout.clickhouse.migrations import migrate
from breakout.kafka.state import count_published, read_kafka
from breakout.local.runtime import embedded_servers
from breakout.settings import Settings, read_settings

REGISTRY_DAYS = 7
LEADERBOARD_DAYS = 30
KEYS = ("OPENROUTER_API_KEY", "ARTIFICIAL_ANALYSIS_API_KEY")
"""Settings of keys; the simulated sources take any."""
CATCH_UP_SECONDS = 300.0
LOOK_SECONDS = 1.0

# What belongs to the person's own set-up and not to the demo's.
NOT_INHERITED = (
    "BREAKOUT_CLICKHOUSE_USER",
    "BREAKOUT_CLICKHOUSE_PASSWORD",
    "BREAKOUT_READER_USER",
    "BREAKOUT_READER_PASSWORD",
    "BREAKOUT_GROUP",
    "BREAKOUT_OVERRIDES_FILE",
    "BREAKOUT_NAMES_FILE",
    "BREAKOUT_DERIVATIVES_REQUESTS",
    "HF_TOKEN",
)


@click.command()
@click.option(
    "--days", type=click.IntRange(14, 1500), default=730, show_default=True, help="Days to replay."
)
@click.option("--keep", is_flag=True, help="Keep the data, and say how to look at them.")
@click.option(
    "--here", is_flag=True, help="Use the Kafka and the empty ClickHouse database of the settings."
)
@click.pass_context
def demo(context: click.Context, *, days: int, keep: bool, here: bool) -> None:
    """Watch simulated years pass through the whole pipeline, ending with the leaderboard.

    A simulated Hub serves invented models; the real collectors scrape it once a simulated day,
    real Kafka records, stream workers and ClickHouse do the rest. It uses free ports and a
    temporary directory, and leaves nothing behind unless told to keep it. With --here it fills
    the servers of the settings instead, so that dashboards can be tried.
    """
    given = start()
    if here and keep:
        raise click.UsageError("--keep goes without --here, which leaves the data where they are")
    directory = Path(tempfile.mkdtemp(prefix="breakout-demo-"))
    settings, environment = _given(given) if here else _own_settings(directory)
    # The progress says what the log would.
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
        click.echo(f"the logs of the parts are in {directory}", err=True)
        raise
    if keep:
        click.echo(_how_to_look(settings))
    else:
        shutil.rmtree(directory, ignore_errors=True)
    # Ctrl-C is how one leaves the page.
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
    """Replay the days. Returns the address of the page, which is served when it is watched."""
    started = time.monotonic()
    progress = stack.enter_context(demo_progress(days + 1))
    progress.say(f"starting {'' if here else 'Kafka, ClickHouse and '}the simulated Hub")
    names = logs / "names.csv"
    hub = await stack.enter_async_context(simulated_hub(days, logs / "hub.log", names))
    if not here:
        # Not kept running: with a broker that dies what it held is gone, and the demo has failed.
        await stack.enter_async_context(embedded_servers(embedded_options(settings)))
    await asyncio.to_thread(migrate, settings, give_up_after=10)
    if await asyncio.to_thread(_count_rows, settings):
        raise CommandFailed(
            f"CLICKHOUSE_URL: {settings.clickhouse} holds observations, and invented ones must not "
            "come between them: name an empty database"
        )
    await asyncio.to_thread(_mark, settings)
    children = {
        **environment,
        **hub.addresses,
        "BREAKOUT_NAMES_FILE": str(names),
        **dict.fromkeys(KEYS, "any"),
    }
    worker = Child(Program("worker", ["worker"], children, logs / "worker.log"))
    stack.push_async_callback(stop_in_order, [worker])
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
            # From the end backwards, so that the last day has all of them.
            if (days - number) % LEADERBOARD_DAYS == 0:
                for source in ("arena", "artificial-analysis", "modelscope"):
                    await collectors.collect(source, day)
            progress.day(day)
        # Both know their past: a first run reads all of it.
        await collectors.collect("openrouter", hub.last)
        await collectors.collect("derivatives", hub.last)

    running = asyncio.create_task(worker.keep_running())
    watching = asyncio.create_task(_watch(settings, progress))
    try:
        await collect()
        progress.say("waiting for the worker to catch up")
        observations = await _caught_up(settings)
    finally:
        for task in (running, watching):
            task.cancel()
        await asyncio.gather(running, watching, return_exceptions=True)
    progress.stop()
    with explained(settings), closing(reader_client(settings)) as client:
        print_report(client, console(), observations, time.monotonic() - started)
    return page


async def _serve_page(
    environment: Mapping[str, str | None], logs: Path, stack: AsyncExitStack
) -> str:
    """Serve the page until the stack unwinds; returns its address."""
    port = _free_port()
    own = {
        "BREAKOUT_API_HOST": "127.0.0.1",
        "BREAKOUT_API_PORT": str(port),
        "BREAKOUT_API_KEYS_FILE": None,
    }
    page = Child(Program("page", ["api"], {**environment, **own}, logs / "page.log"))
    stack.push_async_callback(stop_in_order, [page])
    running = asyncio.create_task(page.keep_running())
    stack.callback(running.cancel)
    return f"http://127.0.0.1:{port}/"


def _mark(settings: Settings) -> None:
    """Write into the database that all in it is invented."""
    with explained(settings), closing(writer_client(settings)) as client:
        client.insert("simulated", [["demo", datetime.now(UTC)]], ["what", "since"])


def _given(settings: Settings) -> tuple[Settings, dict[str, str | None]]:
    """Return the settings and the environment of children that use the servers of the settings."""
    own = {"BREAKOUT_LOG_FORMAT": "json", "BREAKOUT_METRICS_PORT": "0"}
    files = ("BREAKOUT_OVERRIDES_FILE", "BREAKOUT_NAMES_FILE", "HF_TOKEN")
    environment = {**own, **dict.fromkeys(files)}
    return settings, environment


def _own_settings(directory: Path) -> tuple[Settings, dict[str, str | None]]:
    """Return settings of the demo's own servers, and the environment that gives them to a child."""
    data_dir = directory / "servers"
    environment: dict[str, str | None] = {
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{_free_port()}",
        "CLICKHOUSE_URL": f"http://127.0.0.1:{_free_port()}/breakout",
        "BREAKOUT_DATA_DIR": str(data_dir),
        "TMPDIR": str(directory),
        "BREAKOUT_LOG_FORMAT": "json",
        "BREAKOUT_METRICS_PORT": "0",
        # Nothing here speaks TLS: spare every run the loading of all certificates.
        "SSL_CERT_DIR": str(directory),
        "SSL_CERT_FILE": None,
        **dict.fromkeys(NOT_INHERITED),
    }
    settings = read_settings(
        kafka_bootstrap_servers=environment["KAFKA_BOOTSTRAP_SERVERS"],
        clickhouse_url=environment["CLICKHOUSE_URL"],
        data_dir=data_dir,
        clickhouse_user="default",
        clickhouse_password="",
        reader_password=None,
        group="breakout",
    )
    return settings, environment


async def _watch(settings: Settings, progress: DemoProgress) -> None:
    with closing(reader_client(settings)) as client:
        while True:
            with explained(settings):
                rows = await asyncio.to_thread(
                    client.query,
                    "SELECT (SELECT count() FROM downloads_log), "
                    "(SELECT count() FROM breakouts WHERE baseline = 'live')",
                )
            progress.found(*rows.result_rows[0])
            await asyncio.sleep(LOOK_SECONDS)


async def _caught_up(settings: Settings) -> int:
    """Return how many observations were published, once all of them can be queried."""
    published = await count_published(settings)
    rows = 0
    try:
        async with asyncio.timeout(CATCH_UP_SECONDS):
            while True:
                kafka = await read_kafka(settings)
                rows = await asyncio.to_thread(_count_rows, settings)
                if not any(lag.records for lag in kafka.lags) and rows == published:
                    return published
                await asyncio.sleep(LOOK_SECONDS / 4)
    except TimeoutError:
        raise CommandFailed(
            f"of {published:,} published observations {rows:,} can be queried after "
            f"{CATCH_UP_SECONDS:.0f} s"
        ) from None


def _count_rows(settings: Settings) -> int:
    with explained(settings), closing(reader_client(settings)) as client:
        return int(client.query("SELECT count() FROM downloads").result_rows[0][0])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _how_to_look(settings: Settings) -> str:
    url, data = settings.clickhouse_url, settings.data_dir
    kafka = settings.kafka_bootstrap_servers
    return (
        "\nThe data were kept. To look at them again:\n"
        f"  export BREAKOUT_DATA_DIR={data} CLICKHOUSE_URL={url} KAFKA_BOOTSTRAP_SERVERS={kafka}\n"
        "  breakout embedded &\n"
        "  breakout top --all\n"
        f"  rm -r {data.parent}    # when done"
    )
