"""The embedded ClickHouse and broker as real processes, for any test that needs one.

    with running_clickhouse(tmp_path / "clickhouse") as clickhouse:
        client = clickhouse_connect.get_client(dsn=clickhouse.url)
        clickhouse.kill()   # SIGKILL
        clickhouse.start()  # same data, same port

    with running_broker(tmp_path) as broker:
        AIOKafkaProducer(bootstrap_servers=broker.bootstrap)

Both listen on 127.0.0.1. The broker forgets its topics and offsets when it stops.
"""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from breakout.local.broker import broker_command
from breakout.local.clickhouse.users import User, Users
from tests.support.server_process import Broker, Server, free_port

_REPOSITORY = Path(__file__).resolve().parents[2]


class ClickHouseServer(Server):
    """The embedded ClickHouse; its data in ``path`` survive `kill` and `stop`."""

    name = "embedded ClickHouse"
    program: ClassVar[tuple[str, ...]] = (
        sys.executable,
        "-m",
        "breakout.local.clickhouse.server",
    )

    def __init__(self, path: Path, port: int, admin_password: str, reader_password: str) -> None:
        path.mkdir(parents=True, exist_ok=True)
        super().__init__(port, path / "server.log")
        self.path = path
        self.url = f"http://127.0.0.1:{port}"
        self.users = Users(
            User("default", admin_password, reader=False),
            # Where the admin needs a password, nobody reads without one either
            User("reader", reader_password, reader=True)
            if reader_password or not admin_password
            else None,
        )

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*self.program, "--path", str(self.path), "--port", str(self.port)],
            cwd=_REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
        assert process.stdin is not None
        process.stdin.write(f"{self.users.to_json()}\n".encode())
        process.stdin.flush()
        return process

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


class EmbeddedBroker(Broker):
    """The embedded broker; everything in it is gone after `kill` or `stop`."""

    name = "embedded broker"

    def __init__(self, directory: Path, port: int) -> None:
        super().__init__(directory, port, "broker.log")

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            broker_command(self.port), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )


@contextmanager
def running_clickhouse(
    path: Path, *, port: int | None = None, admin_password: str = "", reader_password: str = ""
) -> Iterator[ClickHouseServer]:
    """An embedded ClickHouse on ``path``; users are ``default`` and ``reader``."""
    server = ClickHouseServer(path, port or free_port(), admin_password, reader_password)
    server.start()
    try:
        yield server
    finally:
        server.close()


@contextmanager
def running_broker(directory: Path, *, port: int | None = None) -> Iterator[EmbeddedBroker]:
    """An embedded broker, its log file in ``directory``."""
    server = EmbeddedBroker(directory, port or free_port())
    server.start()
    try:
        yield server
    finally:
        server.close()
