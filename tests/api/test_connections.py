"""Incomplete, ambiguous and invalid HTTP requests."""

import json
import socket

import httpx
import pytest

from api.cli import listening_socket
from breakout.settings import Settings
from tests.api.raw import connect, exchange, read_rest, request
from tests.api.server import ApiServer
from tests.support.waiting import wait_until

INCOMPLETE: dict[str, bytes] = {
    "nothing": b"",
    "half a line": b"GET /v1/mod",
    "no end of the headers": b"GET /v1/models HTTP/1.1\r\nHost: a\r\nX-Slow: ",
    "no body": request("/v1/sources", "Content-Length: 10"),
    "half a body": request("/v1/sources", "Content-Length: 10") + b"12345",
    "half a chunked body": request("/v1/sources", "Transfer-Encoding: chunked") + b"5\r\nab",
    "a body of an unsupported method": request("/v1/sources", "Content-Length: 9", method="POST"),
    "a second request by half": request("/v1/sources") + b"GET /v1/sources HTTP/1.1\r\n",
}


def test_incomplete_request_is_closed(server: ApiServer) -> None:
    made = {name: connect(server) for name in INCOMPLETE}
    for name, sent in INCOMPLETE.items():
        made[name].sendall(sent)
    for connection in made.values():
        read_rest(connection)
    assert httpx.get(f"{server.url}/v1/sources").status_code == 200


def test_request_sent_byte_by_byte_is_closed(server: ApiServer) -> None:
    """Each byte is progress, but the request is never complete."""
    for start in ("no end of the headers", "half a body"):
        with connect(server) as made:
            made.sendall(INCOMPLETE[start])

            def is_closed(made: socket.socket = made) -> bool:
                try:
                    made.send(b"a")
                except OSError:
                    return True
                return False

            wait_until("the connection is closed", is_closed, pause=0.3)


def test_connection_serves_several_requests(server: ApiServer) -> None:
    with connect(server) as made:
        for _number in range(3):
            made.sendall(request("/v1/sources", method="HEAD"))
            head = b""
            while b"\r\n\r\n" not in head:
                head += made.recv(4096)
            assert head.startswith(b"HTTP/1.1 200 ")


AMBIGUOUS = [
    ("Content-Length: 3", "Transfer-Encoding: chunked"),
    ("Transfer-Encoding: chunked", "Content-Length: 3"),
    ("content-length: 0", "transfer-encoding: CHUNKED"),
    ("Content-Length: 0", "Content-Length: 5"),
    ("Content-Length: +5",),
    ("Content-Length: 0x5",),
    ("Content-Length: 5, 6",),
    ("Transfer-Encoding: chunked, chunked",),
    ("Transfer-Encoding: identity",),
    ("Transfer-Encoding : chunked",),
    ("Content-Length : 5",),
]


@pytest.mark.parametrize("headers", AMBIGUOUS, ids=" + ".join)
def test_ambiguous_request_is_rejected(server: ApiServer, headers: tuple[str, ...]) -> None:
    smuggled = b"0\r\n\r\n" + request("/v1/models")
    found = exchange(server, request("/v1/sources", *headers) + smuggled)
    head, _, body = found.partition(b"\r\n\r\n")
    assert head.split(b" ")[1] in {b"400", b"501"}, found
    assert found.count(b"HTTP/1.1 ") == 1
    problem = json.loads(body)
    assert problem["status"] == 400
    assert problem["detail"]
    assert b"application/problem+json" in head


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /v1/models\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /v1/\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /v1/\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost: a\r\n folded: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        request("/v1/sources", "Transfer-Encoding: chunked") + b"zz\r\n",
    ],
)
def test_invalid_request_is_not_a_server_error(server: ApiServer, sent: bytes) -> None:
    found = exchange(server, sent)
    # A connection closed while sending may lose the response.
    assert found[9:12] in {b"", b"200", b"400", b"404"}, found[:200]
    log = server.log.read_text(errors="replace")
    assert "Traceback" not in log


@pytest.mark.parametrize("host", ["evil.example", "evil.example/x?y#z", "a@b", "[::1", ""])
@pytest.mark.parametrize("path", ["/v1/models/", "/v1/models//", "/assets", "/news/"])
def test_host_header_is_ignored(server: ApiServer, host: str, path: str) -> None:
    sent = request(path, "Connection: close").replace(b"breakout.example", host.encode())
    head, _, body = exchange(server, sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404 "), head
    assert b"location" not in head.lower()
    assert b"evil" not in head + body
    if path in {"/v1/models/", "/news/"}:
        assert f"remove the trailing slash, {path[:-1]}" in json.loads(body)["detail"]


@pytest.mark.parametrize("host", ["evil.example", "evil.example/x?y#z"])
def test_citation_does_not_contain_the_host_header(server: ApiServer, host: str) -> None:
    sent = request("/v1/sources", "Connection: close").replace(b"breakout.example", host.encode())
    found = exchange(server, sent)
    assert b"content-location: /v1/sources?as_of=" in found
    assert b"evil" not in found


def test_responses_are_sent_without_waiting_for_acknowledgements() -> None:
    with (
        listening_socket(Settings(api_port=0)) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
