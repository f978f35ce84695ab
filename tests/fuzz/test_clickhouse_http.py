"""The embedded ClickHouse's HTTP: its own error or a closed connection, and it goes on."""

import gzip
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import lz4.frame
import pytest
import zstandard
from hypothesis import strategies as st

from breakout.local.clickhouse.blocks import BlockEncoder
from tests.fuzz.effort import efforts, explore
from tests.fuzz.mutations import NUMBERS, STRINGS, damaged
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse

MOST_MEMORY = 3 << 30


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(tmp_path_factory.mktemp("clickhouse")) as server:
        httpx.post(server.url, content="CREATE TABLE t (a UInt64, b String) ORDER BY a")
        yield server
        # Of what is no HTTP the library writes a trace itself; through our code goes none.
        assert "breakout/local/clickhouse/http.py" not in (server.path / "server.log").read_text(
            errors="replace"
        )


def blocks(data: bytes) -> bytes:
    encoder = BlockEncoder()
    return encoder.compress(data) + encoder.flush()


NATIVE = b"\x02\x01\x01a\x06UInt64" + (7).to_bytes(8, "little") + b"\x01b\x06String\x01x"
INSERTS = {
    "Native": NATIVE,
    "TSV": b"1\tx\n2\ty\n",
    "CSV": b'1,"x"\n',
    "JSONEachRow": b'{"a":1,"b":"x"}\n',
    "Values": b"(1,'x'),(2,'y')",
    "RowBinary": (7).to_bytes(8, "little") + b"\x01x",
    "Arrow": b"ARROW1\x00\x00\xff\xff\xff\xff",
    "Parquet": b"PAR1PAR1",
}
STATEMENTS = [
    b"SELECT 1",
    b"SELECT * FROM t LIMIT 10 FORMAT Native",
    b"SELECT {x:String}, {y:UInt8}",
    b"SELECT number FROM numbers(1000) FORMAT JSON",
    b"INSERT INTO t SELECT number, 'x' FROM numbers(3)",
    b"INSERT INTO t (a) SETTINGS max_threads = 1 FORMAT TSV\n1\n",
    b"INSERT INTO t VALUES (1, 'a')",
    b"EXPLAIN AST SELECT 1",
    b"SET max_threads = 2",
    b"SELECT 'unfinished",
    b"/* comment */ SELECT $$heredoc$$ -- end",
]
CODINGS: dict[str, Any] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.compress,
    "lz4": lz4.frame.compress,
    "br": bytes,
    "gzip, gzip": gzip.compress,
}

texts = st.one_of(
    st.sampled_from(STRINGS),
    st.sampled_from(NUMBERS).map(str),
    st.sampled_from(["1", "9" * 5000, "a\r\nX-Injected: 1", "system", "JSON"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)
ARGUMENTS = (
    *("query", "query_id", "database", "default_format", "session_id", "session_timeout"),
    *("session_check", "close_session", "compress", "decompress", "wait_end_of_query"),
    *("enable_http_compression", "param_x", "param_y", "max_threads", "max_result_rows"),
    *("user", "password", "buffer_size", "role", "quota_key", "nonsense", "a`b", ""),
)
HEADERS = (
    *("X-ClickHouse-User", "X-ClickHouse-Key", "X-ClickHouse-Database", "X-ClickHouse-Format"),
    *("X-ClickHouse-Query-Id", "Authorization", "Accept-Encoding", "Content-Type", "Origin"),
    "Host",
)
arguments = st.dictionaries(st.sampled_from(ARGUMENTS), texts, max_size=3)
headers = st.dictionaries(
    st.sampled_from(HEADERS),
    st.one_of(
        st.sampled_from(["Basic !!!", "Basic \xff", "Bearer x", "gzip;q=0, zstd", "lz4", "null"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30),
    ),
    max_size=2,
)


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """A request of any method, with arguments, headers and a body that may be damaged."""
    params = draw(arguments)
    told = {name: value.encode("latin-1").strip() for name, value in draw(headers).items()}
    if draw(st.booleans()):
        form, body = draw(st.sampled_from(list(INSERTS.items())))
        params = {"query": f"INSERT INTO t FORMAT {form}", **params}
    else:
        body = draw(st.sampled_from(STATEMENTS))
    if draw(st.booleans()):
        body = draw(damaged([body]))
    if draw(st.booleans()):
        params["decompress"] = "1"
        body = blocks(body)
    coding = draw(st.sampled_from([None, None, *CODINGS]))
    if coding is not None:
        told["Content-Encoding"] = coding.encode()
        body = CODINGS[coding](body)
    if draw(st.booleans()):
        body = draw(damaged([body]))
    content: Any = body
    if draw(st.booleans()):
        content = [body[at : at + 7] for at in range(0, len(body), 7)]  # chunked
    method = draw(st.sampled_from(["POST"] * 6 + ["GET", "PUT", "OPTIONS", "HEAD", "NONSENSE"]))
    return {"method": method, "params": params, "headers": told, "content": content}


def check_answer(answer: httpx.Response) -> None:
    text = answer.text
    assert "got itself in trouble" not in text
    assert "Traceback" not in text
    if answer.status_code == 500 and answer.request.method != "HEAD":
        assert text.startswith("Code: "), text[:200]
        assert int(answer.headers["X-ClickHouse-Exception-Code"]) > 0
    assert "X-Injected" not in answer.headers


def memory_of(server: ClickHouseServer) -> int:
    assert server.process is not None
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * 4096


@efforts
def test_any_request_is_answered(server: ClickHouseServer, effort: int) -> None:
    with httpx.Client(base_url=server.url, timeout=30) as http:

        def check(request: dict[str, Any]) -> None:
            content = request["content"]
            chunked = iter(content) if isinstance(content, list) else content
            try:
                answer = http.request(
                    request["method"],
                    "/",
                    params=request["params"],
                    headers=request["headers"],
                    content=chunked,
                )
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.DecodingError):
                pass  # broken off: a result that failed behind its first rows, a wrong request
            except httpx.WriteError:
                pass
            else:
                check_answer(answer)
            assert http.get("/ping").text == "Ok.\n"

        explore(requests(), check, examples=150, effort=effort)
    assert memory_of(server) < MOST_MEMORY


def exchange(server: ClickHouseServer, data: bytes, *, half: bool) -> bytes:
    """Send bytes over a connection, close it early or read to its end."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        try:
            connection.sendall(data)
            if half:
                return b""
            connection.shutdown(socket.SHUT_WR)
            received = b""
            while piece := connection.recv(65536):
                received += piece
        except ConnectionError:
            return b""
        return received


WIRE = [
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nSELECT 1",
    b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\nGET /?query=SELECT+2 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /?query=INSERT+INTO+t+FORMAT+TSV HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\nSELECT 1",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 8\r\n\r\nSELECT 1",
]


@efforts
def test_any_bytes_leave_the_server_alive(server: ClickHouseServer, effort: int) -> None:
    def check(drawn: tuple[bytes, bool]) -> None:
        data, half = drawn
        assert b"got itself in trouble" not in exchange(server, data, half=half)
        assert httpx.get(f"{server.url}/ping").text == "Ok.\n"

    sent = st.one_of(st.sampled_from(WIRE), damaged(WIRE))
    explore(st.tuples(sent, st.booleans()), check, examples=30, effort=effort)
