"""`breakout worker`: one stream worker; start as many as there are partitions."""

import asyncio

import click
import faust
import structlog

from breakout.kafka_topics import ensure_topics
from breakout.logging import configure_logging
from breakout.settings import read_settings
from breakout.telemetry import start_metrics

log = structlog.get_logger(__name__)


@click.command()
def worker() -> None:
    """Run one stream worker: Kafka to ClickHouse."""
    settings = read_settings()
    configure_logging(settings)
    start_metrics(settings)
    asyncio.run(ensure_topics(settings))
    from streams.app import app  # noqa: PLC0415 - reads the settings when imported

    raise SystemExit(
        faust.Worker(
            app, loglevel="WARN", override_logging=False, redirect_stdouts=False, quiet=True
        ).execute_from_commandline()
    )
