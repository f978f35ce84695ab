"""Requests byte by byte, and readers that do not read."""

import socket
from contextlib import closing

from tests.api.server import ApiServer

SECONDS = 60.0
"""For what has to happen at all."""
SMALL_WINDOW = 65536


def connect(server: ApiServer, *, window: int = 0) -> socket.socket:
    """Open a connection; `window` is how many bytes the kernel takes for who does not read."""
    made = socket.socket()
    made.settimeout(SECONDS)
    if window:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    made.connect(("127.0.0.1", server.port))
    return made


def request(path: str, *headers: str, method: str = "GET") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: breakout.example", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def begun(server: ApiServer, path: str) -> tuple[socket.socket, bytes]:
    """Ask, and read the head of the answer alone."""
    made = connect(server, window=SMALL_WINDOW)
    made.sendall(request(path))
    head = b""
    while b"\r\n\r\n" not in head:
        head += made.recv(1)
    return made, head


def rest(made: socket.socket) -> bytes:
    """Return what still comes until the server ends the connection. Raises `TimeoutError`."""
    found = b""
    with closing(made):
        try:
            while piece := made.recv(65536):
                found += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
    return found


def answered(server: ApiServer, sent: bytes) -> bytes:
    """Send bytes; return what comes until the server ends the connection."""
    made = connect(server)
    made.sendall(sent)
    return rest(made)
