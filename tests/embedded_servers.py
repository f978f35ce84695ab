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

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from breakout.embedded.broker import broker_answers, broker_command
from breakout.embedded.clickhouse_server import (
    ADMIN_PASSWORD_VARIABLE,
    READER_PASSWORD_VARIABLE,
)

START_SECONDS = 60.0
STOP_SECONDS = 20.0
_POLL_SECONDS = 0.05
_REPOSITORY = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Server:
    """A server process that can be killed and started again on the same port."""

    name = ""

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process and wait until it answers."""
        if self.process is not None and self.process.poll() is None:
            raise RuntimeError(f"{self.name} is already running (pid {self.process.pid})")
        with self.log.open("ab") as log:
            self.process = self._spawn(log.fileno())
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None:
                raise RuntimeError(
                    f"{self.name} ended with code {self.process.returncode}:\n"
                    + self.log.read_text(errors="replace")[-4000:]
                )
            if time.monotonic() > deadline:
                self.kill()
                raise TimeoutError(f"{self.name} did not answer within {START_SECONDS} s")
            time.sleep(_POLL_SECONDS)

    def kill(self) -> None:
        """SIGKILL, and wait for the end of the process."""
        self._signal(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM, and wait for the end of the process; returns its exit code."""
        return self._signal(signal.SIGTERM)

    def close(self) -> None:
        """End the process if it runs."""
        if self.process is not None and self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()

    def _signal(self, number: int) -> int:
        if self.process is None:
            raise RuntimeError(f"{self.name} was not started")
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(STOP_SECONDS)
        if self.process.stdin is not None:
            self.process.stdin.close()
        return code

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError


class ClickHouseServer(_Server):
    """The embedded ClickHouse; its data in ``path`` survive `kill` and `stop`."""

    name = "embedded ClickHouse"

    def __init__(self, path: Path, port: int, admin_password: str, reader_password: str) -> None:
        path.mkdir(parents=True, exist_ok=True)
        super().__init__(port, path / "server.log")
        self.path = path
        self.url = f"http://127.0.0.1:{port}"
        self._passwords = {
            ADMIN_PASSWORD_VARIABLE: admin_password,
            READER_PASSWORD_VARIABLE: reader_password,
        }

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "breakout.embedded.clickhouse_server", "--watch-stdin"]
        return subprocess.Popen(
            [*command, "--path", str(self.path), "--port", str(self.port)],
            cwd=_REPOSITORY,
            env={**os.environ, **self._passwords},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


class BrokerServer(_Server):
    """The embedded broker; everything in it is gone after `kill` or `stop`."""

    name = "embedded broker"

    def __init__(self, directory: Path, port: int) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        super().__init__(port, directory / "broker.log")
        self.bootstrap = f"127.0.0.1:{port}"

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            broker_command(self.port), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )

    def _answers(self) -> bool:
        # In a thread of its own: the test calling us may have a running event loop
        answers: list[bool] = []
        probe = threading.Thread(
            target=lambda: answers.append(asyncio.run(broker_answers(self.port)))
        )
        probe.start()
        probe.join()
        return answers == [True]


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
def running_broker(directory: Path, *, port: int | None = None) -> Iterator[BrokerServer]:
    """An embedded broker, its log file in ``directory``."""
    server = BrokerServer(directory, port or free_port())
    server.start()
    try:
        yield server
    finally:
        server.close()
