"""Readers that leave in the middle of large answers, while others write."""

import contextlib
import random
import socket
import sys
import threading
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from tests.breakout.local.conftest import ADMIN_PASSWORD, READER_PASSWORD
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse
from tests.support.server_process import free_port
from tests.support.waiting import wait_until

READERS = 8
FORMATS = (
    *("CSV", "CSVWithNames", "TabSeparated", "JSON", "JSONEachRow", "JSONCompact", "XML"),
    *("Native", "RowBinary", "Parquet", "Arrow", "ArrowStream", "ORC", "Avro", "MsgPack"),
)
# Joined and sorted, so that threads of the engine work behind the one that writes. Parameters
# belong to the connection, which the engine uses until the very end of a statement.
QUERY = (
    "SELECT a.n AS n, toString(sipHash64(a.n)) AS s, b.m AS m FROM "
    "(SELECT n FROM left_answers.t WHERE n < {most:UInt64}) AS a "
    "INNER JOIN (SELECT n, n % 7 AS m FROM left_answers.t) AS b ON a.n = b.n ORDER BY s"
)
ROWS = 200_000
# The client disconnects while the end of its response is sent
SERVER_OF_DISCONNECTING_CLIENTS = """
import sys
from breakout.local.clickhouse import body_writer, server

async def end(writer):
    writer._http.transport.abort()
    raise ConnectionResetError("Cannot write to closing transport")

body_writer.BodyWriter.end = end
sys.exit(server.main())
"""


class ServerOfDisconnectingClients(ClickHouseServer):
    program = (sys.executable, "-c", SERVER_OF_DISCONNECTING_CLIENTS)


@pytest.mark.parametrize("query", ["SELECT 1", "SELECT number FROM numbers(400000)", "SELECT"])
def test_disconnect_at_the_end_of_a_response_is_not_an_error(tmp_path: Path, query: str) -> None:
    server = ServerOfDisconnectingClients(tmp_path, free_port(), "", "")
    server.start()
    try:
        with contextlib.suppress(httpx.TransportError):
            httpx.post(server.url, content=query, timeout=170)
    finally:
        server.close()
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("leaves", [80, pytest.param(1200, marks=pytest.mark.slow)])
@pytest.mark.timeout(3000)
def test_left_answers_harm_nobody(tmp_path: Path, leaves: int) -> None:
    left = threading.Event()
    with running_clickhouse(
        tmp_path, admin_password=ADMIN_PASSWORD, reader_password=READER_PASSWORD
    ) as server:
        with ThreadPoolExecutor(READERS + 1) as pool, admin_of(server) as admin:
            for statement in (
                "CREATE DATABASE left_answers",
                "CREATE TABLE left_answers.t (n UInt64) ENGINE = MergeTree ORDER BY n",
                "CREATE TABLE left_answers.w (n UInt64) ENGINE = MergeTree ORDER BY n",
                f"INSERT INTO left_answers.t SELECT number FROM numbers({ROWS})",
            ):
                admin.post("/", content=statement).raise_for_status()
            writing = pool.submit(write, server, left)
            try:
                reading = [
                    pool.submit(leave, server, reader, leaves // READERS)
                    for reader in range(READERS)
                ]
                for future in reading:
                    future.result()
            finally:
                left.set()
            written = writing.result()
            wait_until("nothing of them runs", lambda: running(admin) == 0, seconds=600)
            kept = admin.post("/", content="SELECT count(), uniqExact(n) FROM left_answers.w")
            assert kept.text == f"{written}\t{written}\n"
            assert admin.post("/", content="SELECT count() FROM left_answers.t").text == f"{ROWS}\n"
        assert server.is_running
        log = server.log.read_text()
    assert "was never retrieved" not in log
    assert "Traceback" not in log


def admin_of(server: ClickHouseServer) -> httpx.Client:
    return httpx.Client(base_url=server.url, auth=("default", ADMIN_PASSWORD), timeout=600)


def running(admin: httpx.Client) -> int:
    count = "SELECT count() - 1 FROM system.processes"
    return int(admin.post("/", content=count).raise_for_status().text)


def leave(server: ClickHouseServer, reader: int, times: int) -> None:
    """Ask, read some of the answer or nothing, and leave: politely, or as a process that dies."""
    choice = random.Random(reader)
    for _ in range(times):
        user, password = choice.choice([("default", ADMIN_PASSWORD), ("reader", READER_PASSWORD)])
        arguments = {"param_most": str(ROWS), "default_format": choice.choice(FORMATS)}
        login = b64encode(f"{user}:{password}".encode()).decode()
        with socket.create_connection(("127.0.0.1", server.port), timeout=600) as client:
            client.sendall(
                f"POST /?{urlencode(arguments)} HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: Basic {login}\r\nConnection: close\r\n"
                f"Content-Length: {len(QUERY)}\r\n\r\n{QUERY}".encode()
            )
            wanted, size = choice.choice([0, 1, 1 << 16, 1 << 20, 3 << 20]), 0
            while size < wanted and (chunk := client.recv(1 << 18)):
                assert size or b" 200 OK" in chunk[:20], chunk
                size += len(chunk)
            if choice.random() < 0.5:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def write(server: ClickHouseServer, until: threading.Event) -> int:
    """Insert until the event; return the number of rows confirmed."""
    written = 0
    with admin_of(server) as admin:
        while not until.is_set():
            rows = "".join(f"{number}\n" for number in range(written, written + 1000))
            insert = {"query": "INSERT INTO left_answers.w FORMAT TSV"}
            admin.post("/", params=insert, content=rows).raise_for_status()
            written += 1000
    return written
