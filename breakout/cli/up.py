"""`breakout up`: runs everything on this machine, on live sources."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import click
from pydantic import SecretStr

from breakout.cli.errors import CommandFailedError
from breakout.cli.interruption import until_interrupted
from breakout.cli.page import page_address
from breakout.cli.reachable import is_reachable
from breakout.cli.start import start
from breakout.clickhouse.migrations import migrate
from breakout.http.addresses import host_port
from breakout.processes.child import ChildProcess, stop_in_order
from breakout.processes.program import Program, breakout_command, changed_environment
from breakout.settings import Settings

# The servers respond already: a longer wait would only hide an error.
MIGRATION_WAIT_SECONDS = 5.0


@click.command()
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Stream workers."
)
@click.pass_context
def up(context: click.Context, *, workers: int) -> None:
    """Run everything on this machine: servers, workers, collectors and web page, until Ctrl-C.

    It uses the servers at KAFKA_BOOTSTRAP_SERVERS and CLICKHOUSE_URL, or starts embedded ones if
    none respond and both addresses are on this machine. A process that exits is restarted.
    """
    settings = start()
    if workers > settings.partitions:
        raise CommandFailedError(
            f"--workers {workers} is more than BREAKOUT_PARTITIONS ({settings.partitions}): "
            "a worker without a partition has nothing to process"
        )
    settings = _with_page(settings)

    async def run(stack: AsyncExitStack) -> None:
        await _run(settings, workers, stack)

    farewell = "stopping: collectors and page, then workers, then servers"
    context.exit(asyncio.run(until_interrupted(run, farewell=farewell)))


async def _run(settings: Settings, workers: int, stack: AsyncExitStack) -> None:
    keepers: list[Callable[[], Coroutine[Any, Any, None]]] = []
    embedded = await _must_embed(settings)
    if embedded:
        # They need the extra `local`, which servers elsewhere do not.
        from breakout.cli.embedded import embedded_options  # noqa: PLC0415
        from breakout.local.runtime import embedded_servers  # noqa: PLC0415

        click.echo("starting the embedded Kafka and ClickHouse")
        servers = await stack.enter_async_context(embedded_servers(embedded_options(settings)))
        keepers.append(servers.keep_running)
    await asyncio.to_thread(migrate, settings, give_up_after=MIGRATION_WAIT_SECONDS)
    programs = _programs(settings, workers)
    children = [ChildProcess(program) for program in programs]
    stack.push_async_callback(stop_in_order, children[workers:], children[:workers])
    click.echo(_summary(settings, workers, embedded=embedded))
    for child in children:
        await child.start()
        keepers.append(child.keep_running)
    async with asyncio.TaskGroup() as group:
        for keep_running in keepers:
            group.create_task(keep_running())


async def _must_embed(settings: Settings) -> bool:
    """Return whether to start the embedded servers, which are always both."""
    address = settings.clickhouse
    addresses = {
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "CLICKHOUSE_URL": host_port(address.host, address.port),
    }
    reachable = {name: await is_reachable(servers) for name, servers in addresses.items()}
    if all(reachable.values()):
        return False
    if any(reachable.values()):
        up_name, down_name = sorted(reachable, key=lambda name: not reachable[name])
        raise CommandFailedError(
            f"{addresses[up_name]} ({up_name}) is reachable but {addresses[down_name]} "
            f"({down_name}) is not: start it, or set both to addresses where no server runs"
        )
    return True


def _programs(settings: Settings, workers: int) -> list[Program]:
    names = [f"worker {number}" for number in range(1, workers + 1)]
    commands = [["worker"]] * workers
    names += ["collectors", "page"]
    commands += [["collect", "all"], ["api"]]
    first = settings.metrics_port
    return [
        # Consecutive ports from the configured one; 0 stays 0, any free port.
        Program(
            name,
            breakout_command(*command),
            changed_environment(
                {
                    "BREAKOUT_METRICS_PORT": str(first + number if first else 0),
                    "BREAKOUT_API_PORT": str(settings.api_port),
                }
            ),
        )
        for number, (name, command) in enumerate(zip(names, commands, strict=True))
    ]


def _with_page(settings: Settings) -> Settings:
    """Return the settings with a port for the page. Raises `CommandFailedError` for one in use."""
    host, port = settings.api_host, settings.api_port
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.create_server((host, port), family=family) as probe:
            return settings.model_copy(update={"api_port": probe.getsockname()[1]})
    except OSError as error:
        raise CommandFailedError(
            f"cannot serve the web page on {host_port(host, port)} ({error.strerror or error}): "
            "set BREAKOUT_API_PORT to a free port, or to 0 for any; BREAKOUT_API_HOST is the host"
        ) from error


def _summary(settings: Settings, workers: int, *, embedded: bool) -> str:
    analysis = settings.artificial_analysis_api_key
    lines = [
        "",
        f"  Kafka       {settings.kafka_bootstrap_servers}",
        f"  ClickHouse  {settings.clickhouse}",
    ]
    if embedded:
        lines.append(f"              both embedded, data in {settings.data_dir}")
    lines += [
        f"  workers     {workers}, Kafka to ClickHouse",
        f"  collectors  registry, every {_every(settings.registry_seconds)}",
        f"              downloads of Hugging Face, every {_every(settings.scrape_seconds)}",
        "              derivatives, every 7 days; Arena and ModelScope, every day",
        f"              OpenRouter: {_keyed(settings.openrouter_api_key, 'OPENROUTER_API_KEY')}",
        f"              Artificial Analysis: {_keyed(analysis, 'ARTIFICIAL_ANALYSIS_API_KEY')}",
        f"  page        {page_address(settings)}, the API at {page_address(settings)}v1",
        "",
        "  breakout status    health of every part",
        "  breakout top       the leaderboard",
        "  Ctrl-C             stops everything",
        "",
    ]
    return "\n".join(lines)


def _keyed(key: SecretStr | None, setting: str) -> str:
    return "every day" if key is not None else f"off, {setting} is not set"


def _every(seconds: int) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds % size == 0:
            count = seconds // size
            return f"{count} {unit}" if count != 1 else unit[:-1]
    return f"{seconds} seconds"
