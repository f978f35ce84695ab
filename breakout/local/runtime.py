"""Both servers, started and stopped together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import structlog
from pydantic import SecretStr

from breakout.clickhouse.local_login import make_local_password
from breakout.local.broker import broker_answers, broker_command
from breakout.local.child import Child, Program
from breakout.local.clickhouse.users import User, Users
from breakout.local.confinement import unconfined
from breakout.local.errors import EmbeddedError
from breakout.local.lock import locked

HOST = "127.0.0.1"
# How long the servers of a killed predecessor may hold their ports
_PREDECESSOR_SECONDS = 10.0
_POLL_SECONDS = 0.1

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EmbeddedOptions:
    """Where the servers keep their data and listen, and who may log in to ClickHouse.

    A password that is missing is made, and kept in ``data_dir``. Without any, everybody on this
    machine may read.
    """

    data_dir: Path
    kafka_port: int = 9092
    clickhouse_port: int = 8123
    admin_user: str = "default"
    admin_password: SecretStr | None = None
    reader_user: str = "reader"
    reader_password: SecretStr | None = None


class EmbeddedServers:
    """The running servers."""

    def __init__(self, options: EmbeddedOptions, broker: Child, clickhouse: Child) -> None:
        self.kafka_bootstrap_servers = f"{HOST}:{options.kafka_port}"
        self.clickhouse_address = f"http://{HOST}:{options.clickhouse_port}"
        self.broker = broker
        self.clickhouse = clickhouse

    async def keep_running(self) -> None:
        """Start again what dies; never returns. Raises EmbeddedError when that is no use."""
        await _together(self.broker.keep_running(), self.clickhouse.keep_running())


@asynccontextmanager
async def embedded_servers(options: EmbeddedOptions) -> AsyncIterator[EmbeddedServers]:
    """Start both servers, and stop them at the end of the block.

    Raises EmbeddedError for a data directory that cannot be used or is used already, a port
    that is taken, and a server that does not come up.
    """
    directory = options.data_dir
    if options.reader_user == options.admin_user:
        raise EmbeddedError(
            f"ClickHouse's admin and reader are both called {options.admin_user}: set "
            "BREAKOUT_CLICKHOUSE_USER or BREAKOUT_READER_USER to another name"
        )
    _prepare(directory)
    missing = unconfined()
    if missing is not None:
        logger.warning("the embedded servers are not confined by the kernel", missing=missing)
    async with AsyncExitStack() as stack:
        clean = stack.enter_context(locked(directory, "embedded.lock", "breakout"))
        patience = 0.0 if clean else _PREDECESSOR_SECONDS
        await _check_port(options.kafka_port, "KAFKA_BOOTSTRAP_SERVERS", patience)
        await _check_port(options.clickhouse_port, "CLICKHOUSE_URL", patience)
        broker = Child(_broker(options))
        clickhouse = Child(_clickhouse(options, _users(options)))
        for child in (broker, clickhouse):
            stack.push_async_callback(child.stop)
        await _together(broker.start(), clickhouse.start())
        yield EmbeddedServers(options, broker, clickhouse)


async def run_embedded(
    options: EmbeddedOptions, on_ready: Callable[[EmbeddedServers], None]
) -> None:
    """Run both servers until SIGINT or SIGTERM, then stop them and return.

    ``on_ready`` is called once both answer. Raises EmbeddedError as `embedded_servers` does,
    and when a server dies again and again.
    """
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(_run(options, on_ready))
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if current is not None and current.cancelling():
            raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _run(options: EmbeddedOptions, on_ready: Callable[[EmbeddedServers], None]) -> None:
    async with embedded_servers(options) as servers:
        on_ready(servers)
        await servers.keep_running()


async def _together(*work: Coroutine[None, None, None]) -> None:
    """Wait for all; when one fails, cancel the rest and raise its error."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _prepare(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise EmbeddedError(
            f"cannot write to the data directory {directory}: {error.strerror}; set "
            "BREAKOUT_DATA_DIR to a directory that you may write to"
        ) from error


async def _check_port(port: int, variable: str, patience_seconds: float) -> None:
    deadline = time.monotonic() + patience_seconds
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                if time.monotonic() >= deadline:
                    raise EmbeddedError(
                        f"cannot listen on port {port} of {HOST}: {error.strerror}; stop the "
                        f"program that listens there, or set {variable} to another port"
                    ) from error
            else:
                return
        await asyncio.sleep(_POLL_SECONDS)


def _broker(options: EmbeddedOptions) -> Program:
    return Program(
        name="the Kafka broker",
        command=[
            *_python_module("breakout.local.tether"),
            "--confined",
            str(options.kafka_port),
            str(os.getpid()),
            *broker_command(options.kafka_port),
        ],
        log=options.data_dir / "broker.log",
        answers=lambda: broker_answers(options.kafka_port),
        lost="all topics and committed offsets, which it keeps in memory",
    )


def _users(options: EmbeddedOptions) -> Users:
    admin, reader = options.admin_password, options.reader_password
    if admin is None:
        admin = _made(options, options.admin_user)
        reader = reader or SecretStr("")
    elif reader is None:
        reader = _made(options, options.reader_user)
    return Users(
        User(options.admin_user, admin.get_secret_value(), reader=False),
        User(options.reader_user, reader.get_secret_value(), reader=True),
    )


def _made(options: EmbeddedOptions, user: str) -> SecretStr:
    return make_local_password(options.data_dir, options.clickhouse_port, user)


def _clickhouse(options: EmbeddedOptions, users: Users) -> Program:
    return Program(
        name="ClickHouse",
        command=[
            *_python_module("breakout.local.clickhouse.server"),
            "--path",
            str(options.data_dir / "clickhouse"),
            "--port",
            str(options.clickhouse_port),
        ],
        log=options.data_dir / "clickhouse.log",
        answers=lambda: _pings(options.clickhouse_port),
        first_line=users.to_json(),
    )


def _python_module(name: str) -> list[str]:
    # -P: a folder called breakout in the working directory is not ours
    return [sys.executable, "-P", "-m", name]


async def _pings(port: int) -> bool:
    timeout = aiohttp.ClientTimeout(total=5)
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"http://{HOST}:{port}/ping") as answer,
        ):
            return answer.status == 200  # noqa: PLR2004
    return False
