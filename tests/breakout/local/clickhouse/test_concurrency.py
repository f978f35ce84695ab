"""Readers and writers at the same time, and queries whose client goes away."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.breakout.local.conftest import ADMIN_PASSWORD
from tests.support.embedded_servers import ClickHouseServer
from tests.support.waiting import wait_until

# A machine that does much else, as one that runs all tests, may take minutes for what takes 0.1 s
SECONDS = 170

ENDLESS = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"
ENDLESS_ROWS = "SELECT number FROM numbers(1000000000000)"


def new_client(server: ClickHouseServer) -> httpx.Client:
    return httpx.Client(base_url=server.url, auth=("default", ADMIN_PASSWORD), timeout=SECONDS)


def running(http: httpx.Client, marker: str) -> int:
    answer = http.post(
        "/",
        content="SELECT count() FROM system.processes WHERE query LIKE {q:String}"
        " AND query NOT LIKE '%system.processes%'",
        params={"param_q": f"%{marker}%"},
    )
    return int(answer.text)


def test_readers_see_whole_inserts_while_a_writer_works(
    server: ClickHouseServer, http: httpx.Client, database: str
) -> None:
    http.post("/", content=f"CREATE TABLE {database}.t (a UInt64) ENGINE = MergeTree ORDER BY a")
    block, blocks = 20_000, 10
    rows = b"".join(b"%d\n" % number for number in range(block))
    written = threading.Event()

    def write() -> None:
        with new_client(server) as client:
            for _ in range(blocks):
                client.post(
                    "/", params={"query": f"INSERT INTO {database}.t FORMAT TSV"}, content=rows
                ).raise_for_status()
        written.set()

    def read() -> list[int]:
        counts = []
        with new_client(server) as client:
            while not written.is_set():
                answer = client.post("/", content=f"SELECT count() FROM {database}.t")
                counts.append(int(answer.raise_for_status().text))
        return counts

    with ThreadPoolExecutor(5) as pool:
        writing = pool.submit(write)
        reading = [pool.submit(read) for _ in range(4)]
        writing.result()
        for counts in (future.result() for future in reading):
            assert counts == sorted(counts)
            assert all(count % block == 0 for count in counts)
    assert http.post("/", content=f"SELECT count() FROM {database}.t").text == (
        f"{block * blocks}\n"
    )


def test_readers_do_not_wait_for_an_insert_that_is_still_coming(
    server: ClickHouseServer, http: httpx.Client, database: str
) -> None:
    http.post("/", content=f"CREATE TABLE {database}.t (a UInt64) ENGINE = MergeTree ORDER BY a")
    http.post("/", content=f"INSERT INTO {database}.t VALUES (1)")
    read = threading.Event()

    def rows() -> Iterator[bytes]:
        yield b"2\n"
        # Ends only once others have read
        assert read.wait(SECONDS)
        yield b"3\n"

    def write() -> httpx.Response:
        with new_client(server) as client:
            return client.post(
                "/", params={"query": f"INSERT INTO {database}.t FORMAT TSV"}, content=rows()
            )

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        for _ in range(20):
            answer = http.post("/", content=f"SELECT max(a) FROM {database}.t")
            assert answer.text == "1\n"
        http.post("/", content=f"INSERT INTO {database}.t VALUES (1)").raise_for_status()
        read.set()
        assert writing.result().status_code == 200
    assert http.post("/", content=f"SELECT sum(a) FROM {database}.t").text == "7\n"


def test_many_sessions_and_writers_at_once(
    server: ClickHouseServer, http: httpx.Client, database: str
) -> None:
    http.post(
        "/",
        content=f"CREATE TABLE {database}.t (w UInt8, a UInt64) ENGINE = MergeTree ORDER BY (w, a)",
    )

    def work(worker: int) -> None:
        session = {"session_id": f"{database}-{worker}"}
        with new_client(server) as client:
            client.post("/", content=f"SET max_threads = {worker + 1}", params=session)
            for number in range(10):
                insert = f"INSERT INTO {database}.t VALUES ({worker}, {number})"
                client.post("/", content=insert, params=session).raise_for_status()
                answer = client.post(
                    "/",
                    content="SELECT getSetting('max_threads'), count() "
                    f"FROM {database}.t WHERE w = {worker}",
                    params=session,
                )
                assert answer.text == f"{worker + 1}\t{number + 1}\n"

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(work, worker) for worker in range(8)]:
            future.result()
    answer = http.post("/", content=f"SELECT count(), uniqExact(w, a) FROM {database}.t")
    assert answer.text == "80\t80\n"


@pytest.mark.parametrize("endless", [ENDLESS, ENDLESS_ROWS, f"{ENDLESS_ROWS} FORMAT Null"])
def test_query_ends_with_its_client(
    server: ClickHouseServer, http: httpx.Client, endless: str
) -> None:
    marker = f"gone {time.monotonic_ns()}"
    client = new_client(server)

    def ask() -> None:
        try:
            with client.stream("POST", "/", content=f"/* {marker} */ {endless}") as answer:
                for _ in answer.iter_raw():
                    time.sleep(0.01)
        except (httpx.HTTPError, httpx.StreamError, OSError):
            pass

    asking = threading.Thread(target=ask)
    asking.start()
    wait_until("it runs", lambda: running(http, marker) == 1, seconds=SECONDS)
    # What a client that is killed leaves behind: a closed socket
    for connection in client._transport._pool.connections:  # type: ignore[attr-defined]
        stream = connection._connection._network_stream
        stream.get_extra_info("socket").shutdown(2)
    wait_until("it has ended", lambda: running(http, marker) == 0, seconds=SECONDS)
    asking.join()
    client.close()


def test_insert_whose_client_goes_away_writes_nothing(
    server: ClickHouseServer, http: httpx.Client, database: str
) -> None:
    http.post("/", content=f"CREATE TABLE {database}.t (a UInt64) ENGINE = MergeTree ORDER BY a")
    query = f"INSERT INTO {database}.t FORMAT TSV"

    def rows() -> Iterator[bytes]:
        yield b"1\n" * 100_000
        insert = query.removesuffix(" FORMAT TSV")
        wait_until("it runs", lambda: running(http, insert) == 1, seconds=SECONDS)
        raise KeyError("the client stops here")

    with new_client(server) as client, pytest.raises(KeyError):
        client.post("/", params={"query": query}, content=rows())
    insert = f"INSERT INTO {database}"
    wait_until("it has ended", lambda: running(http, insert) == 0, seconds=SECONDS)
    assert http.post("/", content=f"SELECT count() FROM {database}.t").text == "0\n"


def test_kill_query_reaches_other_requests(server: ClickHouseServer, http: httpx.Client) -> None:
    marker = f"kill {time.monotonic_ns()}"

    def ask() -> httpx.Response:
        with new_client(server) as client:
            return client.post("/", content=f"/* {marker} */ {ENDLESS}")

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        wait_until("it runs", lambda: running(http, marker) == 1, seconds=SECONDS)
        kill = f"KILL QUERY WHERE query LIKE '/* {marker} */%'"
        http.post("/", content=kill).raise_for_status()
        answer = asking.result()
    assert answer.headers["X-ClickHouse-Exception-Code"] == "394"
