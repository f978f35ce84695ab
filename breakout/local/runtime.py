"""Both servers, started and stopped together."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import structlog
from pydantic import SecretStr

from breakout.clickhouse.local_login import make_local_password
from breakout.local.broker import broker_command, broker_responds
from breakout.local.clickhouse.users import User, Users
from breakout.local.confinement import unconfined
from breakout.local.errors import EmbeddedError
from breakout.local.lock import locked
from breakout.processes.child import ChildProcess
from breakout.processes.program import Program, RestartPolicy, python_module, server_environment

HOST = "127.0.0.1"
# How long the servers of a killed process may hold their ports
_PREDECESSOR_SECONDS = 15.0
# Readers wait for a server, so it is restarted immediately
_RESTARTS = RestartPolicy(stable_seconds=10.0, first_pause=0.0, max_early_failures=3)
_POLL_SECONDS = 0.1

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EmbeddedOptions:
    """Where the servers keep their data and listen, and who may log in to ClickHouse.

    A missing password is generated and stored in ``data_dir``. Without an admin password, the
    read-only user needs none: everybody on this machine may read.
    """

    data_dir: Path
    kafka_port: int = 9092
    clickhouse_port: int = 8123
    admin_user: str = "default"
    admin_password: SecretStr | None = None
    readonly_user: str = "reader"
    readonly_password: SecretStr | None = None


class EmbeddedServers:
    """The running servers."""

    def __init__(
        self, options: EmbeddedOptions, broker: ChildProcess, clickhouse: ChildProcess
    ) -> None:
        self.kafka_bootstrap_servers = f"{HOST}:{options.kafka_port}"
        self.clickhouse_url = f"http://{HOST}:{options.clickhouse_port}"
        self.broker = broker
        self.clickhouse = clickhouse

    async def keep_running(self) -> None:
        """Restart servers that exit or stop responding; never returns.

        Raises ProcessError when a server cannot be restarted, or exits early too often.
        """
        await _all(self.broker.keep_running(), self.clickhouse.keep_running())


@asynccontextmanager
async def embedded_servers(options: EmbeddedOptions) -> AsyncIterator[EmbeddedServers]:
    """Start both servers, and stop them at the end of the block.

    Raises EmbeddedError for a data directory that cannot be used or is in use, and for a port
    that is taken; ProcessError for a server that does not start.
    """
    directory = options.data_dir
    if options.readonly_user == options.admin_user:
        raise EmbeddedError(
            f"ClickHouse's admin and read-only user have the same name {options.admin_user!r}: "
            "set BREAKOUT_CLICKHOUSE_USER or BREAKOUT_READER_USER to another name"
        )
    _prepare(directory)
    missing = unconfined()
    if missing is not None:
        logger.warning("the kernel cannot confine the embedded servers", missing=missing)
    async with AsyncExitStack() as stack:
        clean = stack.enter_context(locked(directory, "embedded.lock", "breakout"))
        wait_seconds = 0.0 if clean else _PREDECESSOR_SECONDS
        await _check_port(options.kafka_port, "KAFKA_BOOTSTRAP_SERVERS", wait_seconds)
        await _check_port(options.clickhouse_port, "CLICKHOUSE_URL", wait_seconds)
        broker = ChildProcess(_broker(options))
        clickhouse = ChildProcess(_clickhouse(options, _users(options)))
        for child in (broker, clickhouse):
            stack.push_async_callback(child.stop)
        await _all(broker.start(), clickhouse.start())
        yield EmbeddedServers(options, broker, clickhouse)


async def _all(*coroutines: Coroutine[None, None, None]) -> None:
    """Wait for all; when one fails, cancel the rest and raise its error."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
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


async def _check_port(port: int, variable: str, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
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
    port = options.kafka_port
    return Program(
        name="the Kafka broker",
        command=python_module("breakout.local.broker_launcher", str(port), *broker_command(port)),
        environment=server_environment(),
        log=options.data_dir / "broker.log",
        ready=lambda: broker_responds(port),
        # Not killed when it stops responding: it would lose its records
        restarts=_RESTARTS,
        lost_on_exit="all topics and committed offsets, which it holds in memory",
    )


def _clickhouse(options: EmbeddedOptions, users: Users) -> Program:
    def responds() -> Awaitable[bool]:
        return _pings(options.clickhouse_port)

    return Program(
        name="ClickHouse",
        command=python_module(
            "breakout.local.clickhouse.server",
            *("--path", str(options.data_dir / "clickhouse")),
            *("--port", str(options.clickhouse_port)),
        ),
        environment=server_environment(),
        log=options.data_dir / "clickhouse.log",
        first_line=users.to_json(),
        ready=responds,
        alive=responds,
        restarts=_RESTARTS,
        lost_on_exit="nothing that was acknowledged",
    )


def _users(options: EmbeddedOptions) -> Users:
    admin, readonly = options.admin_password, options.readonly_password
    if admin is None:
        admin = _new_password(options, options.admin_user)
        readonly = readonly or SecretStr("")
    elif readonly is None:
        readonly = _new_password(options, options.readonly_user)
    return Users(
        User(options.admin_user, admin.get_secret_value(), readonly=False),
        User(options.readonly_user, readonly.get_secret_value(), readonly=True),
    )


def _new_password(options: EmbeddedOptions, user: str) -> SecretStr:
    return make_local_password(options.data_dir, options.clickhouse_port, user)


async def _pings(port: int) -> bool:
    timeout = aiohttp.ClientTimeout(total=5)
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"http://{HOST}:{port}/ping") as response,
        ):
            return response.status == 200  # noqa: PLR2004
    return False
