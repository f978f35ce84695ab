"""The embedded ClickHouse and broker as processes on 127.0.0.1.

with running_clickhouse(tmp_path / "clickhouse") as clickhouse:
    client = clickhouse_connect.get_client(dsn=clickhouse.url)
    clickhouse.kill()   # SIGKILL
    clickhouse.start()  # same data, same port
"""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar

from breakout.local.broker import broker_command
from breakout.local.clickhouse.users import User, Users
from tests.support.server_process import Broker, Server, free_port, running

_REPOSITORY = Path(__file__).resolve().parents[2]


class ClickHouseServer(Server):
    """The embedded ClickHouse; its data in `path` survive `kill` and `stop`."""

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
            User("default", admin_password, readonly=False),
            # With an admin password, reading requires a password too
            User("reader", reader_password, readonly=True)
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

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=5) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False


class EmbeddedBroker(Broker):
    """The embedded broker; it loses topics and offsets on `kill` and `stop`."""

    name = "embedded broker"

    def __init__(self, directory: Path, port: int) -> None:
        super().__init__(directory, port, "broker.log")

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            broker_command(self.port), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )


def running_clickhouse(
    path: Path, *, port: int | None = None, admin_password: str = "", reader_password: str = ""
) -> AbstractContextManager[ClickHouseServer]:
    """Run an embedded ClickHouse on `path`, with the users `default` and `reader`."""
    return running(ClickHouseServer(path, port or free_port(), admin_password, reader_password))
