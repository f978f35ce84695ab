"""`breakout embedded`: Kafka and ClickHouse on this machine, and nothing else."""

import asyncio
from contextlib import AsyncExitStack
from urllib.parse import quote

import click

from breakout.cli.errors import CommandFailedError
from breakout.cli.interruption import until_interrupted
from breakout.cli.start import start
from breakout.http.addresses import is_loopback
from breakout.local.runtime import EmbeddedOptions, embedded_servers
from breakout.settings import Settings


@click.command()
@click.option(
    "--login", is_flag=True, help="Print the URL of ClickHouse with its login, for other programs."
)
@click.pass_context
def embedded(context: click.Context, *, login: bool) -> None:
    """Run only the embedded Kafka and ClickHouse, until Ctrl-C.

    They listen at KAFKA_BOOTSTRAP_SERVERS and CLICKHOUSE_URL, on this machine only. ClickHouse
    stores its data in BREAKOUT_DATA_DIR; Kafka holds its records in memory.

    Without BREAKOUT_CLICKHOUSE_PASSWORD, a password is generated and stored in BREAKOUT_DATA_DIR,
    where commands of the same user find it. Other users have read-only access.
    """
    settings = start()
    options = embedded_options(settings)
    if login:
        click.echo(_url_with_login(settings))
        return

    async def run(stack: AsyncExitStack) -> None:
        servers = await stack.enter_async_context(embedded_servers(options))
        click.echo(f"Kafka       {servers.kafka_bootstrap_servers}")
        click.echo(f"ClickHouse  {servers.clickhouse_url} (data in {options.data_dir})")
        click.echo("Ctrl-C stops both.")
        await servers.keep_running()

    context.exit(asyncio.run(until_interrupted(run, farewell="stopping Kafka and ClickHouse")))


def _url_with_login(settings: Settings) -> str:
    address = settings.clickhouse
    password = address.password.get_secret_value()
    if not password:
        raise CommandFailedError(
            f"no login for {address} in {settings.data_dir} (BREAKOUT_DATA_DIR): start `breakout "
            "up` or `breakout embedded` first, which create one"
        )
    login = f"{quote(address.user, safe='')}:{quote(password, safe='')}"
    return f"http://{login}@{address.host}:{address.port}/{address.database}"


def embedded_options(settings: Settings) -> EmbeddedOptions:
    """Return the options of embedded servers at the addresses of the settings.

    Raises `CommandFailedError` for an address on another machine.
    """
    kafka, clickhouse = loopback_port_of_kafka(settings), loopback_port_of_clickhouse(settings)
    return EmbeddedOptions(
        data_dir=settings.data_dir,
        kafka_port=kafka,
        clickhouse_port=clickhouse,
        admin_user=settings.clickhouse.user,
        admin_password=settings.own_clickhouse_password,
        readonly_user=settings.reader_user,
        readonly_password=settings.reader_password,
    )


def loopback_port_of_kafka(settings: Settings) -> int:
    """Return the port of Kafka on this machine. Raises `CommandFailedError` for another host."""
    host, _, port = settings.kafka_bootstrap_servers.rpartition(":")
    if not is_loopback(host):
        raise CommandFailedError(
            f"KAFKA_BOOTSTRAP_SERVERS is {settings.kafka_bootstrap_servers}: the embedded Kafka "
            "listens on 127.0.0.1 only"
        )
    return int(port)


def loopback_port_of_clickhouse(settings: Settings) -> int:
    """Return the port of ClickHouse. Raises `CommandFailedError` for another host or HTTPS."""
    address = settings.clickhouse
    if address.secure or not is_loopback(address.host):
        raise CommandFailedError(
            f"CLICKHOUSE_URL is {address}: the embedded ClickHouse listens on http://127.0.0.1 only"
        )
    return address.port
