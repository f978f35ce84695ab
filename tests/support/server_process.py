"""Server processes of tests: start, wait until ready, kill, pause, restart."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from breakout.local.broker import broker_responds

START_SECONDS = 60.0
STOP_SECONDS = 20.0
_POLL_SECONDS = 0.05


def free_port() -> int:
    """Return a free TCP port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A server process that can be killed and restarted on the same port."""

    name = ""

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process and wait until it responds."""
        if self.is_running:
            raise RuntimeError(f"{self.name} is already running")
        with self.log.open("ab") as log:
            self.process = self._spawn(log.fileno())
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self.process.poll() is not None:
                raise RuntimeError(
                    f"{self.name} ended with code {self.process.returncode}:\n"
                    + self.log.read_text(errors="replace")[-4000:]
                )
            if time.monotonic() > deadline:
                self.kill()
                raise TimeoutError(f"{self.name} did not respond within {START_SECONDS} s")
            time.sleep(_POLL_SECONDS)

    def kill(self) -> None:
        """Send SIGKILL and wait for the exit."""
        self._signal(signal.SIGKILL)

    def crash(self, number: signal.Signals) -> int:
        """Send a signal and wait for the exit; returns the exit code."""
        return self._signal(number)

    def pause(self) -> None:
        """Send SIGSTOP: the process exists, but does not run."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Send SIGCONT."""
        self._running().send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """Send SIGTERM and wait for the exit; returns the exit code."""
        return self._signal(signal.SIGTERM)

    def close(self) -> None:
        """End the process if it runs."""
        if self.is_running:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()

    @property
    def is_running(self) -> bool:
        """Whether the process exists, paused or not."""
        return self.process is not None and self.process.poll() is None

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self.process

    def _signal(self, number: int) -> int:
        process = self._running()
        if process.poll() is None:
            process.send_signal(number)
            process.send_signal(signal.SIGCONT)  # a paused process handles no other signal
        code = process.wait(STOP_SECONDS)
        if process.stdin is not None:
            process.stdin.close()
        return code

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        raise NotImplementedError

    def _is_ready(self) -> bool:
        raise NotImplementedError


ServerT = TypeVar("ServerT", bound=Server)


@contextmanager
def running(server: ServerT) -> Iterator[ServerT]:
    """Start a server, and end it afterwards."""
    server.start()
    try:
        yield server
    finally:
        server.close()


class Broker(Server):
    """A server with Kafka's protocol on 127.0.0.1."""

    def __init__(self, directory: Path, port: int, log: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        super().__init__(port, directory / log)
        self.bootstrap = f"127.0.0.1:{port}"

    def _is_ready(self) -> bool:
        # In a thread: the calling test may have a running event loop
        ready: list[bool] = []
        probe = threading.Thread(
            target=lambda: ready.append(asyncio.run(broker_responds(self.port)))
        )
        probe.start()
        probe.join()
        return ready == [True]
