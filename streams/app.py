"""The Faust application: `faust -A streams.app worker`, or `breakout worker`.

Faust provides the consumer group, rebalances, back-pressure and the producer. Its tables, windows
and exactly-once mode are not used, nor is its web server, which would show the worker's state to
anyone: prometheus-client serves the metrics.
"""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from typing import Any

import faust
import mode
from faust.tables.manager import TableManager

from breakout.kafka.connection import tls_context
from breakout.observability.logging import logging_config
from breakout.settings import Settings, read_settings
from streams.allocation import tune_allocation
from streams.clickhouse import WorkerClickHouse
from streams.derivatives.processor import DerivativesProcessor
from streams.downloads.processor import DownloadsProcessor
from streams.facts.processor import FactsProcessor
from streams.outbox import Outbox
from streams.positions import CheckedTransport
from streams.processor import Processor
from streams.ram.processor import RamProcessor
from streams.worker_health import WorkerHealth

DATA_DIRECTORY = tempfile.TemporaryDirectory(prefix="breakout-faust-")
"""Faust requires a folder; it stays empty, and is removed at exit."""

PROCESSORS: tuple[type[Processor[Any]], ...] = (
    RamProcessor,
    DownloadsProcessor,
    FactsProcessor,
    DerivativesProcessor,
)
"""Each is one agent, so that a worker gets the same partitions of all topics an agent reads."""


class _NoWebServer(faust.App.BootStrategy):
    """Starts no web server, even with `--with-web` or `--web-port`."""

    enable_web = False


class _NoTables(TableManager):
    """Skips the second that Faust waits for tables at the start."""

    async def sleep(self, n: Any, **more: Any) -> None:
        """Do not wait."""
        del n
        await super().sleep(0, **more)


class _App(faust.App):
    BootStrategy = _NoWebServer


def create_app(settings: Settings) -> Any:
    """Return the application with its agents."""
    app = _App(
        settings.group,
        # Otherwise variables such as BROKER_URL or APP_WEB_ENABLED override these settings.
        env={},
        broker=[
            f"kafka://{server.strip()}" for server in settings.kafka_bootstrap_servers.split(",")
        ],
        broker_credentials=_credentials(settings),
        store="memory://",
        datadir=DATA_DIRECTORY.name,
        logging_config=logging_config(settings),
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_partitions=settings.partitions,
        key_serializer="raw",
        value_serializer="raw",
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=1.0,
        broker_request_timeout=settings.kafka_timeout_seconds,
        broker_session_timeout=6.0,
        broker_rebalance_timeout=6.0,
        broker_heartbeat_interval=2.0,
        # Faust's default is 20 minutes, in which an unresponsive node would block all points.
        producer_request_timeout=settings.kafka_timeout_seconds,
        producer_max_request_size=16_000_000,
        # A record may have a megabyte: buffer only a few.
        stream_buffer_maxsize=16,
        consumer_max_fetch_size=4_000_000,
        # Finds a topic that was deleted and created again within this time, not within 5 minutes.
        consumer_metadata_max_age_ms=15_000,
        # A rebalance or a stop does not wait for ClickHouse: Kafka redelivers unwritten records.
        stream_wait_empty=False,
        TableManager=_NoTables,
        agent_supervisor=mode.CrashingSupervisor,
    )
    health = WorkerHealth(settings)
    app.transport = CheckedTransport(settings, app, health.failed)
    outbox = Outbox(app, settings.partitions)
    processors = [
        kind(settings, outbox, WorkerClickHouse(settings, health.waiting)) for kind in PROCESSORS
    ]
    for processor in processors:
        agent = app.agent(
            app.topic(*(topic.name for topic in processor.topics)),
            name=processor.name,
            concurrency=1,
        )
        agent(_run(processor))
        if isinstance(processor, RamProcessor):
            app.task(processor.watch_frozen)

    @app.service
    class Health(mode.Service):
        async def on_start(self) -> None:
            tune_allocation()
            health.start()

        async def on_stop(self) -> None:
            await asyncio.to_thread(health.stop)

    _follow_assignments(app, processors)

    @app.on_before_shutdown.connect
    async def stop_waiting(_app: Any, **_kwargs: Any) -> None:
        for processor in processors:
            processor.stop()

    return app


def _follow_assignments(app: Any, processors: list[Processor[Any]]) -> None:
    @app.on_partitions_revoked.connect
    async def start_over(_app: Any, revoked: Any, **_kwargs: Any) -> None:
        del revoked
        for processor in processors:
            processor.reassigned()

    @app.on_partitions_assigned.connect
    async def count_assigned(_app: Any, assigned: Any, **_kwargs: Any) -> None:
        for processor in processors:
            processor.assigned(assigned)


def _credentials(settings: Settings) -> Any:
    """Return the credentials of the workers' clients for Faust; None = plaintext."""
    context = tls_context(settings)
    if settings.kafka_uses_sasl:
        return faust.SASLCredentials(
            username=settings.kafka_sasl_username,
            password=settings.kafka_sasl_password.get_secret_value(),
            mechanism=settings.kafka_sasl_mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if context else None


def _run(processor: Processor[Any]) -> Callable[[Any], Coroutine[Any, Any, None]]:
    async def run(stream: Any) -> None:
        await processor.run(stream)

    return run


app = create_app(read_settings())
