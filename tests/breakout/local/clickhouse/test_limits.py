"""What one client sends, or does not read, leaves the others their answers."""

import gzip
import json
import resource
import socket
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import quote

import httpx
import lz4.frame
import pytest
import zstandard

from breakout.local.clickhouse.engine_threads import CONCURRENT_STATEMENTS
from breakout.local.clickhouse.statement_reader import MAX_QUERY_SIZE
from breakout.local.clickhouse.statements import insert_head, parse_output
from tests.breakout.local.conftest import ADMIN_PASSWORD, READER_PASSWORD
from tests.support.embedded_servers import ClickHouseServer
from tests.support.server_process import free_port
from tests.support.waiting import wait_until

USERS = {"default": ADMIN_PASSWORD, "reader": READER_PASSWORD}
ROWS = "/* unread */ SELECT repeat('x', 100000) FROM numbers({rows}) SETTINGS max_block_size = 10"
# The same code with shorter deadlines
SERVER_WITH_SHORT_DEADLINES = """
import sys
from breakout.local.clickhouse import body_writer, receive, server
body_writer.SEND_SECONDS = 1.0
receive.RECEIVE_SECONDS = 1.0
sys.exit(server.main())
"""


class ShortDeadlineServer(ClickHouseServer):
    program = (sys.executable, "-c", SERVER_WITH_SHORT_DEADLINES)


@pytest.fixture(scope="module")
def short_deadlines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    path = tmp_path_factory.mktemp("short_deadlines")
    server = ShortDeadlineServer(path, free_port(), ADMIN_PASSWORD, READER_PASSWORD)
    server.start()
    yield server
    server.close()


@contextmanager
def admin_of(server: ClickHouseServer) -> Iterator[httpx.Client]:
    """The admin, with all the time in the world."""
    login = ("default", ADMIN_PASSWORD)
    with httpx.Client(base_url=server.url, auth=login, timeout=600) as client:
        yield client


@contextmanager
def asked(
    server: ClickHouseServer,
    user: str,
    query: str,
    *,
    more: str = "",
    length: int = 0,
    content_type: str = "text/plain",
) -> Iterator[socket.socket]:
    """A client that has asked, and does nothing else until the end of the block."""
    login = b64encode(f"{user}:{USERS[user]}".encode()).decode()
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(
            f"POST /?query={quote(query)}{more} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Basic {login}\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {length}\r\n\r\n".encode()
        )
        yield client


def size_of_rest(client: socket.socket) -> int:
    """Read what still comes until the server ends the connection."""
    size = 0
    with suppress(ConnectionResetError):
        while chunk := client.recv(1 << 20):
            size += len(chunk)
    return size


def unread(admin: httpx.Client) -> int:
    """How many answers that nobody reads are being written. It is an INSERT that says so: a result
    might have to wait for one of them."""
    answer = admin.post(
        "/",
        content="INSERT INTO FUNCTION null('a UInt8') SELECT 1 FROM system.processes "
        "WHERE query LIKE '%/* unread */%' AND query NOT LIKE '%system.processes%'",
    ).raise_for_status()
    return int(json.loads(answer.headers["X-ClickHouse-Summary"])["written_rows"])


def test_admin_writes_while_nobody_reads_answers(server: ClickHouseServer, database: str) -> None:
    with admin_of(server) as admin:
        admin.post("/", content=f"CREATE TABLE {database}.t (a UInt64) ENGINE = Memory")
        with ExitStack() as clients:
            for user in USERS:
                for _ in range(CONCURRENT_STATEMENTS + 8):
                    clients.enter_context(asked(server, user, ROWS.format(rows=1_000_000)))
            wait_until(
                "most slots of results are taken",
                lambda: unread(admin) > CONCURRENT_STATEMENTS,
                seconds=170,
            )
            for number in range(10):
                insert = f"INSERT INTO {database}.t VALUES ({number})"
                admin.post("/", content=insert).raise_for_status()
        assert admin.post("/", content=f"SELECT count() FROM {database}.t").text == "10\n"


@pytest.mark.parametrize("more", ["", "&wait_end_of_query=1"])
def test_client_that_does_not_read_is_cut(short_deadlines: ClickHouseServer, more: str) -> None:
    query = ROWS.format(rows=1000)
    words = "closed the connection of a client that read nothing"
    before = short_deadlines.log.read_text().count(words)
    with (
        admin_of(short_deadlines) as admin,
        asked(short_deadlines, "reader", query, more=more) as client,
    ):
        client.settimeout(600)
        wait_until("the answer has begun", lambda: client.recv(1, socket.MSG_PEEK), seconds=170)
        wait_until("its statement is over", lambda: unread(admin) == 0, seconds=170)
        wait_until(
            "the server says so",
            lambda: short_deadlines.log.read_text().count(words) > before,
            seconds=170,
        )
        assert size_of_rest(client) < 50_000_000


@pytest.mark.parametrize("rows", [1, 1_000_000])
def test_head_is_answered_without_a_body(server: ClickHouseServer, rows: int) -> None:
    """A byte of one would be taken for the beginning of the next answer."""
    query = f"SELECT number FROM numbers({rows})"
    with admin_of(server) as admin:
        for statement in (query, "SELECT nosuch"):
            answer = admin.head("/", params={"query": statement})
            assert answer.content == b""
            assert answer.status_code == (200 if statement == query else 404)
            assert admin.get("/ping").text == "Ok.\n"


def test_insert_whose_data_stop_coming_is_cut(short_deadlines: ClickHouseServer) -> None:
    with admin_of(short_deadlines) as admin:
        admin.post("/", content="CREATE TABLE cut (a UInt64) ENGINE = MergeTree ORDER BY a")
        insert = "INSERT INTO cut FORMAT TSV"
        with asked(short_deadlines, "default", insert, length=1000) as client:
            client.sendall(b"1\n2\n3\n")
            client.settimeout(600)
            answer = client.recv(1 << 16)
        assert b"X-ClickHouse-Exception-Code: 209" in answer
        assert admin.post("/", content="SELECT count() FROM cut").text == "0\n"


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"--b\r\nContent-Disposition: form-data",
        b"--b\r\nContent-Disposition: form-data; name=param_a\r\n\r\nvalue",
        b"--b\r\nContent-Disposition: form-data; name=t; filename=t\r\n\r\n1\n2\n",
    ],
)
def test_form_that_stops_coming_is_cut(short_deadlines: ClickHouseServer, begun: bytes) -> None:
    kind = "multipart/form-data; boundary=b"
    with asked(short_deadlines, "reader", "SELECT 1", length=1000, content_type=kind) as client:
        client.sendall(begun)
        client.settimeout(600)
        answer = client.recv(1 << 16)
    assert b"X-ClickHouse-Exception-Code: 209" in answer


def test_long_statement_in_a_form_is_refused(server: ClickHouseServer) -> None:
    with admin_of(server) as admin:
        query = f"SELECT length('{'a' * MAX_QUERY_SIZE}')"
        answer = admin.post("/", files={"query": (None, query)})
        assert answer.status_code == 400
        assert f"longer than {MAX_QUERY_SIZE} bytes" in answer.text
        longer = {"query": (None, query), "max_query_size": (None, str(2 * MAX_QUERY_SIZE))}
        assert admin.post("/", files=longer).text == f"{MAX_QUERY_SIZE}\n"


def test_long_field_of_a_form_is_refused(server: ClickHouseServer) -> None:
    with admin_of(server) as admin:
        answer = admin.post("/", files={"param_a": (None, "a" * (17 << 20))})
        assert answer.headers["X-ClickHouse-Exception-Code"] == "229"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b" " * (16 << 20), id="blanks"),
        pytest.param(b"SELECT '" + b"a" * (16 << 20) + b"'", id="string"),
        pytest.param(b"SELECT " + b"[" * (16 << 20), id="brackets"),
        pytest.param(b"SELECT " + b"'\\" * (8 << 20), id="strings that do not end"),
        pytest.param(b"SELECT " + b"/*" * (8 << 20), id="comments that do not end"),
        pytest.param(b"INSERT INTO t (" + b"a, " * (5 << 20), id="columns of an INSERT"),
        pytest.param(b"INSERT INTO t SELECT 1" + b"+1" * (8 << 20), id="INSERT SELECT"),
    ],
)
def test_long_statement_is_refused(server: ClickHouseServer, body: bytes) -> None:
    with admin_of(server) as admin:
        answer = admin.post("/", content=body)
        assert answer.status_code == 400
        assert f"longer than {MAX_QUERY_SIZE} bytes" in answer.text


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b" " * (256 << 20), 1)),
        ("zstd", zstandard.compress(b" " * (256 << 20))),
        ("lz4", lz4.frame.compress(b" " * (256 << 20))),
    ],
)
def test_body_that_grows_large_is_refused(
    server: ClickHouseServer, encoding: str, body: bytes
) -> None:
    with admin_of(server) as admin:
        answer = admin.post("/", content=body, headers={"Content-Encoding": encoding})
        assert f"longer than {MAX_QUERY_SIZE} bytes" in answer.text


def test_max_query_size_of_request_or_session(server: ClickHouseServer) -> None:
    query = f"SELECT length('{'a' * MAX_QUERY_SIZE}')"
    with admin_of(server) as admin:
        assert admin.post("/", content=query).status_code == 400
        raised = {"max_query_size": str(2 * MAX_QUERY_SIZE)}
        assert admin.post("/", content=query, params=raised).text == f"{MAX_QUERY_SIZE}\n"
        session = {"session_id": "long statements"}
        assert admin.post("/", content=query, params=session).status_code == 400
        setting = f"SET max_query_size = {2 * MAX_QUERY_SIZE}"
        admin.post("/", content=setting, params=session).raise_for_status()
        assert admin.post("/", content=query, params=session).text == f"{MAX_QUERY_SIZE}\n"


def test_data_of_an_insert_are_no_part_of_the_statement(
    server: ClickHouseServer, database: str
) -> None:
    values = ",".join(f"({number})" for number in range(MAX_QUERY_SIZE))
    with admin_of(server) as admin:
        admin.post("/", content=f"CREATE TABLE {database}.t (a UInt64) ENGINE = Memory")
        insert = f"INSERT INTO {database}.t VALUES {values}"
        admin.post("/", content=insert).raise_for_status()
        count = admin.post("/", content=f"SELECT count() FROM {database}.t")
    assert count.text == f"{MAX_QUERY_SIZE}\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"'\\" * (1 << 18), id="strings that do not end"),
        pytest.param(b"`" + b"\\`" * (1 << 18), id="name that does not end"),
        pytest.param(b"/*" * (1 << 18), id="comments that do not end"),
        pytest.param(b"".join(b"$t%d$ " % n for n in range(1 << 16)), id="heredocs"),
        pytest.param(b"$" * (1 << 18), id="dollars"),
        pytest.param(b"'" + b"a" * (4 << 20) + b"'", id="long string"),
        pytest.param(b"''" * (1 << 18) + b"'", id="quotes"),
    ],
)
def test_parsing_is_linear(text: bytes) -> None:
    # With a step for each pair of characters this would take an hour
    assert parse_output(b"SELECT " + text).result_format is None
    assert insert_head(b"INSERT INTO t " + text, complete=True) is None


def test_as_many_files_as_the_system_allows(server: ClickHouseServer) -> None:
    assert server.process is not None
    soft, hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    assert soft == hard
