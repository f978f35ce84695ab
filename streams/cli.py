"""`breakout worker`: one stream worker; workers share the partitions of all topics."""

import asyncio
from collections.abc import Mapping

import click
import faust
import structlog

from breakout.clickhouse.client import reader_client
from breakout.clickhouse.errors import ClickHouseUnavailableError
from breakout.kafka.topics import ensure_topics
from breakout.observability.logging import configure_logging
from breakout.settings import Settings, SettingsError, read_settings

log = structlog.get_logger(__name__)


def check_partitions(settings: Settings, topics: Mapping[str, int]) -> None:
    """Raise `SettingsError` if a topic has another number of partitions than the settings.

    A worker loads the models that hash to its partitions, so their number must be right.
    """
    for topic, partitions in topics.items():
        if partitions != settings.partitions:
            raise SettingsError(
                f"BREAKOUT_PARTITIONS: {settings.partitions} does not match the topic {topic}, "
                f"which has {partitions} partitions: set it to {partitions}"
            )


def check_clickhouse(settings: Settings) -> None:
    """Raise `ClickHouseRefusedError` for errors that a retry does not resolve.

    Without this check a worker would fail at its first record. It waits for an unavailable server.
    """
    try:
        reader_client(settings).close()
    except ClickHouseUnavailableError as error:
        log.warning("ClickHouse is unavailable", why=str(error))


class _Worker(faust.Worker):  # type: ignore[misc]
    """A worker that tells Ctrl-C from other ends."""

    is_interrupted = False

    def _on_sigint(self) -> None:
        self.is_interrupted = True
        super()._on_sigint()


@click.command()
def worker() -> None:
    """Run one stream worker: Kafka to ClickHouse."""
    settings = read_settings()
    configure_logging(settings)
    check_clickhouse(settings)
    check_partitions(settings, asyncio.run(ensure_topics(settings)))
    from streams.app import app  # noqa: PLC0415 - reads the settings on import

    running = _Worker(
        app, loglevel="WARN", quiet=True, override_logging=False, redirect_stdouts=False
    )
    try:
        running.execute_from_commandline()
    except SystemExit:
        if running.is_interrupted:
            raise KeyboardInterrupt from None
        raise
