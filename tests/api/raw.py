"""Raw sockets: requests byte by byte, and clients that do not read."""

import socket
from contextlib import closing

from tests.api.server import ApiServer

SECONDS = 60.0
"""Timeout of every socket operation."""
SMALL_WINDOW = 65536


def connect(server: ApiServer, *, window: int = 0) -> socket.socket:
    """Open a connection; `window` is the kernel's receive buffer in bytes."""
    made = socket.socket()
    made.settimeout(SECONDS)
    if window:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    made.connect(("127.0.0.1", server.port))
    return made


def request(path: str, *headers: str, method: str = "GET") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: breakout.example", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def start_response(server: ApiServer, path: str) -> tuple[socket.socket, bytes]:
    """Send a request, and read only the head of the response."""
    made = connect(server, window=SMALL_WINDOW)
    made.sendall(request(path))
    head = b""
    while b"\r\n\r\n" not in head:
        head += made.recv(1)
    return made, head


def read_rest(made: socket.socket) -> bytes:
    """Return the bytes until the server closes the connection. Raises `TimeoutError`."""
    found = b""
    with closing(made):
        try:
            while piece := made.recv(65536):
                found += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
    return found


def exchange(server: ApiServer, sent: bytes) -> bytes:
    """Send bytes, and return the bytes until the server closes the connection."""
    made = connect(server)
    made.sendall(sent)
    return read_rest(made)
