"""The Faust application: `faust -A streams.app worker`, or `breakout worker`.

Faust gives the consumer group, rebalances, back-pressure and the producer. Its tables, windows and
exactly-once mode are not used, nor is its web server, which would tell anybody who asks what the
worker holds: metrics are served by prometheus-client.
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
from streams.allocation import suit_columns
from streams.clickhouse import WorkerClickHouse
from streams.derivatives.processor import DerivativesProcessor
from streams.downloads.processor import DownloadsProcessor
from streams.facts.processor import FactsProcessor
from streams.outbox import Outbox
from streams.positions import CheckedTransport
from streams.processor import Processor
from streams.ram.processor import ScoreProcessor
from streams.worker_health import SignsOfLife

DATA_DIRECTORY = tempfile.TemporaryDirectory(prefix="breakout-faust-")
"""Faust wants a folder, though nothing of ours is kept in it; gone when the process ends."""

PROCESSORS: tuple[type[Processor[Any]], ...] = (
    ScoreProcessor,
    DownloadsProcessor,
    FactsProcessor,
    DerivativesProcessor,
)
"""Each is one agent, so that a worker has the same partitions of all topics it reads."""


class _NoWebServer(faust.App.BootStrategy):
    """Starts no web server, whatever the command line says (`--with-web`, `--web-port`)."""

    enable_web = False


class _NoTables(TableManager):
    """Does not wait a second, as Faust does at the start, for tables to be declared."""

    async def sleep(self, n: Any, **more: Any) -> None:
        """Wait for no time."""
        del n
        await super().sleep(0, **more)


class _App(faust.App):
    BootStrategy = _NoWebServer


def create_app(settings: Settings) -> Any:
    """Return the application with its agents."""
    app = _App(
        settings.group,
        # Else variables such as BROKER_URL or APP_WEB_ENABLED would overrule what is said here.
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
        # Faust's own is 20 minutes: so long a node that stands still would hold all points up.
        producer_request_timeout=settings.kafka_timeout_seconds,
        producer_max_request_size=16_000_000,
        # A record may be a megabyte: few of them wait in memory.
        stream_buffer_maxsize=16,
        consumer_max_fetch_size=4_000_000,
        # A topic that was deleted and made anew is found again within that, not within 5 minutes.
        consumer_metadata_max_age_ms=15_000,
        # A rebalance or a stop does not wait for ClickHouse: what is unwritten comes again.
        stream_wait_empty=False,
        TableManager=_NoTables,
        agent_supervisor=mode.CrashingSupervisor,
    )
    signs = SignsOfLife(settings)
    app.transport = CheckedTransport(settings, app, signs.failed)
    outbox = Outbox(app, settings.partitions)
    processors = [
        kind(settings, outbox, WorkerClickHouse(settings, signs.waits)) for kind in PROCESSORS
    ]
    for processor in processors:
        agent = app.agent(app.topic(*processor.topics), name=processor.name, concurrency=1)
        agent(_run(processor))
        if isinstance(processor, ScoreProcessor):
            app.task(processor.watch_frozen)

    @app.service
    class Signs(mode.Service):
        async def on_start(self) -> None:
            suit_columns()
            signs.start()

        async def on_stop(self) -> None:
            await asyncio.to_thread(signs.stop)

    _follow_assignments(app, processors)

    @app.on_before_shutdown.connect
    async def stop_waiting(_app: Any, **_kwargs: Any) -> None:
        for processor in processors:
            processor.stop()

    return app


def _follow_assignments(app: Any, processors: list[Processor[Any]]) -> None:
    @app.on_partitions_revoked.connect
    async def start_anew(_app: Any, revoked: Any, **_kwargs: Any) -> None:
        del revoked
        for processor in processors:
            processor.reassigned()

    @app.on_partitions_assigned.connect
    async def count_owned(_app: Any, assigned: Any, **_kwargs: Any) -> None:
        for processor in processors:
            processor.assigned(assigned)


def _credentials(settings: Settings) -> Any:
    """Return how the workers' clients connect, as Faust takes it; None = in the clear."""
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
