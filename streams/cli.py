"""`breakout worker`: one stream worker; as many share the work as there are partitions."""

import asyncio
from collections.abc import Mapping

import click
import faust
import structlog

from breakout.clickhouse.client import ClickHouseUnavailable, reader_client
from breakout.kafka.topics import ensure_topics
from breakout.observability.logging import configure_logging
from breakout.settings import Settings, SettingsError, read_settings

log = structlog.get_logger(__name__)


def check_partitions(settings: Settings, there: Mapping[str, int]) -> None:
    """Raise `SettingsError` unless the topics have as many partitions as the settings say.

    A worker reads back the models that hash to its partitions, so it must know their number.
    """
    for topic, partitions in there.items():
        if partitions != settings.partitions:
            raise SettingsError(
                f"BREAKOUT_PARTITIONS: is {settings.partitions}, but the topic {topic} has "
                f"{partitions} partitions: set it to {partitions}"
            )


def check_clickhouse(settings: Settings) -> None:
    """Raise `ClickHouseRefused` for what no waiting mends; one that is away is waited for later.

    Without this a worker would find out with its first record only.
    """
    try:
        reader_client(settings).close()
    except ClickHouseUnavailable as error:
        log.warning("ClickHouse is away", why=str(error))


@click.command()
def worker() -> None:
    """Run one stream worker: Kafka to ClickHouse."""
    settings = read_settings()
    configure_logging(settings)
    check_clickhouse(settings)
    check_partitions(settings, asyncio.run(ensure_topics(settings)))
    from streams.app import app  # noqa: PLC0415 - reads the settings when imported

    faust.Worker(
        app, loglevel="WARN", quiet=True, override_logging=False, redirect_stdouts=False
    ).execute_from_commandline()
