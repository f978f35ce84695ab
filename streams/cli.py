"""`breakout worker`: one stream worker; as many share the work as there are partitions."""

import asyncio

import click
import faust

from breakout.kafka_topics import ensure_topics
from breakout.logging import configure_logging
from breakout.settings import read_settings


@click.command()
def worker() -> None:
    """Run one stream worker: Kafka to ClickHouse."""
    settings = read_settings()
    configure_logging(settings)
    asyncio.run(ensure_topics(settings))
    from streams.app import app  # noqa: PLC0415 - reads the settings when imported

    faust.Worker(
        app, loglevel="WARN", quiet=True, override_logging=False, redirect_stdouts=False
    ).execute_from_commandline()
