"""The network link between a broker and its clients, which can be cut and restored."""

import contextlib
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from breakout.local.broker import broker_command
from tests.support.embedded_servers import EmbeddedBroker
from tests.support.kafka.broker import KafkaBroker
from tests.support.server_process import Broker, free_port, running


class BrokerLink(socketserver.ThreadingTCPServer):
    """Listens on the broker's advertised address, and forwards connections to the broker."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, behind: int) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.behind = behind
        self.is_cut = False
        self.refused = 0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def cut(self) -> None:
        """Close all connections and refuse new ones."""
        with self._lock:
            self.is_cut = True
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def restore(self) -> None:
        """Accept connections again."""
        self.is_cut = False

    def join(self, *both: socket.socket) -> bool:
        """Register a pair of connected sockets; returns False if the link is cut."""
        with self._lock:
            if self.is_cut:
                self.refused += 1
                return False
            self._open.update(both)
            return True

    def leave(self, *both: socket.socket) -> None:
        """Unregister a pair."""
        with self._lock:
            self._open.difference_update(both)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors: a killed worker's connection ends too."""


class _Connection(socketserver.BaseRequestHandler):
    server: BrokerLink

    def handle(self) -> None:
        client: socket.socket = self.request
        with socket.create_connection(("127.0.0.1", self.server.behind)) as broker:
            if not self.server.join(client, broker):
                return
            for one in (client, broker):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            responses = threading.Thread(target=_pump, args=(broker, client))
            responses.start()
            _pump(client, broker)
            responses.join()
            self.server.leave(client, broker)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    for one in (source, target):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


class _EmbeddedBehindLink(EmbeddedBroker):
    """A broker that advertises the address of the link."""

    def __init__(self, directory: Path, port: int, link: BrokerLink) -> None:
        super().__init__(directory, port)
        self._link = link
        self.bootstrap = f"127.0.0.1:{link.server_address[1]}"

    def _spawn(self, log: int) -> "subprocess.Popen[bytes]":
        command = broker_command(self.port)
        advertised = command.index("--advertised-listener-url") + 1
        command[advertised] = f"tcp://{self.bootstrap}"
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _kafka_behind_link(directory: Path, port: int, link: BrokerLink) -> KafkaBroker:
    advertised = f"PLAINTEXT://127.0.0.1:{link.server_address[1]}"
    broker = KafkaBroker(directory, port, properties={"advertised.listeners": advertised})
    broker.bootstrap = f"127.0.0.1:{link.server_address[1]}"
    return broker


@contextmanager
def running_linked_broker(directory: Path, kind: str) -> Iterator[tuple[Broker, BrokerLink]]:
    """Run a broker of `tests.support.brokers.BROKERS` whose clients all use a link."""
    port = free_port()
    with BrokerLink(port) as link:
        thread = threading.Thread(target=link.serve_forever, args=(0.05,))
        thread.start()
        behind_link = _kafka_behind_link if kind == "kafka" else _EmbeddedBehindLink
        broker = behind_link(directory, port, link)
        try:
            with running(broker):
                yield broker, link
        finally:
            link.shutdown()
            thread.join()
