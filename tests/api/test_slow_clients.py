"""Slow, stalled and heavy clients do not affect others."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from api.parameters import MAX_ROWS
from breakout.clickhouse.client import writer_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings
from tests.api.conftest import serving
from tests.api.raw import SMALL_WINDOW, connect, read_rest, request, start_response
from tests.api.server import ApiServer
from tests.support.embedded_servers import ClickHouseServer
from tests.support.waiting import wait_until

CURVES = "/v1/ram/curves?format=csv"
CLIENTS = 8
OTHER_ADDRESS = "127.0.0.2"
"""Another address of this machine."""


@pytest.fixture(scope="module")
def few(large_world: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """An API with two slots for queries, and a stall limit of one second."""
    variables = {"BREAKOUT_API_CONCURRENT_QUERIES": "2", "BREAKOUT_API_WAIT_SECONDS": "120"}
    variables |= {"BREAKOUT_API_FRESH_SECONDS": "60", "BREAKOUT_API_STALL_SECONDS": "1"}
    with serving(tmp_path_factory.mktemp("few"), large_world, **variables) as server:
        yield server


def was_closed(server: ApiServer, why: str) -> bool:
    """Return whether the log has a connection that was closed for this reason."""
    lines = map(json.loads, server.log.read_text().splitlines())
    return any(line["event"] == "closed a connection" and line["why"] == why for line in lines)


def length(head: bytes) -> int:
    (found,) = (
        line.split(b":")[1] for line in head.split(b"\r\n") if line.startswith(b"content-length")
    )
    return int(found)


def test_unread_responses_do_not_block_others(large_world: Settings, tmp_path: Path) -> None:
    variables = {"BREAKOUT_API_CONCURRENT_QUERIES": "2", "BREAKOUT_API_WAIT_SECONDS": "120"}
    variables |= {"BREAKOUT_API_FRESH_SECONDS": "60", "BREAKOUT_API_STALL_SECONDS": "120"}
    with serving(tmp_path, large_world, **variables) as server:
        slow = [start_response(server, CURVES) for _number in range(CLIENTS)]
        for _made, head in slow:
            assert head.startswith(b"HTTP/1.1 200 ")
        # All unread, and no query still runs for them.
        again = httpx.get(server.url + CURVES, timeout=120)
        assert again.status_code == 200
        assert httpx.get(f"{server.url}/v1/models?limit=5").status_code == 200
        # A response that is read late is complete.
        made, head = slow[0]
        body = b""
        while len(body) < length(head):
            body += made.recv(1 << 20)
        assert body == again.content
        for made, _head in slow:
            made.close()


def test_stalled_client_is_disconnected(few: ApiServer) -> None:
    made, head = start_response(few, CURVES)
    wait_until("the connection is closed", lambda: was_closed(few, "stalled"))
    assert len(read_rest(made)) < length(head)


def test_slow_client_is_disconnected(large_world: Settings, tmp_path: Path) -> None:
    with serving(tmp_path, large_world, BREAKOUT_API_ANSWER_SECONDS="2") as server:
        made, _head = start_response(server, CURVES)

        def one_more() -> bool:
            try:
                return not made.recv(4096)
            except ConnectionResetError:
                return True

        wait_until("the connection is closed", one_more)
        made.close()
        assert was_closed(server, "slow")


def test_aborted_responses_do_not_affect_others(few: ApiServer) -> None:
    for _number in range(3):
        made, _head = start_response(few, CURVES)
        made.close()
        # Also before the response starts.
        with connect(few) as early:
            early.sendall(request(CURVES))
    assert httpx.get(few.url + CURVES, timeout=120).status_code == 200
    assert "Traceback" not in few.log.read_text()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_thousand_aborted_responses_do_not_affect_writes(
    large_world: Settings, tmp_path: Path
) -> None:
    """Eight clients abort responses of every format, while rows are written."""
    names = ("RATE", "QUERY_RATE")
    variables = {f"BREAKOUT_API_{name}": "1000000" for name in names}
    variables |= {"BREAKOUT_API_CONCURRENT_QUERIES": "8", "BREAKOUT_API_WAIT_SECONDS": "120"}
    formats = ("csv", "json", "parquet", "arrow")
    written: list[int] = []
    with (
        serving(tmp_path, large_world, **variables) as server,
        closing(writer_client(large_world)) as client,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        client.command("CREATE TABLE written (a UInt64) ENGINE = MergeTree ORDER BY a")

        def leave(number: int) -> None:
            path = f"/v1/ram/curves?format={formats[number % 4]}&limit=10000"
            if number % 5:
                made, head = start_response(server, path)
                made.recv(1000)
                made.close()
                assert head.startswith(b"HTTP/1.1 200 "), head
            else:
                with connect(server) as early:
                    early.sendall(request(path))

        leaving = [pool.submit(leave, number) for number in range(1000)]
        while not all(one.done() for one in leaving):
            client.insert("written", [[len(written)]], ["a"])
            written.append(len(written))
        for one in leaving:
            one.result()
        rows = client.query("SELECT a FROM written ORDER BY a").result_rows
        assert [number for (number,) in rows] == written
        assert httpx.get(server.url + CURVES, timeout=120).status_code == 200
        assert "Traceback" not in server.log.read_text()


def test_too_large_response_is_a_problem(large_world: Settings, tmp_path: Path) -> None:
    with serving(tmp_path, large_world, BREAKOUT_API_SPOOL_MEBIBYTES="8") as server:
        response = httpx.get(server.url + CURVES, timeout=120)
        assert response.status_code == 422
        assert "larger than 2 MiB" in response.json()["detail"]
        assert httpx.get(f"{server.url}{CURVES}&limit=10000", timeout=120).status_code == 200


def test_unread_responses_leave_spool_space_for_others(
    large_world: Settings, tmp_path: Path
) -> None:
    variables = {"BREAKOUT_API_SPOOL_MEBIBYTES": "100", "BREAKOUT_API_WAIT_SECONDS": "2"}
    with serving(tmp_path, large_world, **variables) as server:
        # Of equal requests all would read one file.
        paths = [f"{CURVES}&{same}" for same in ("tracked=true", "size_bin=10-50B")]
        slow = [start_response(server, path)[0] for path in paths]
        refused = httpx.get(server.url + CURVES, timeout=120)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0
        assert httpx.get(f"{server.url}/v1/models?limit=5").status_code == 200
        with other_client(server) as other:
            assert other.get(CURVES).status_code == 200
        for made in slow:
            made.close()
        wait_until(
            "space is free again",
            lambda: httpx.get(server.url + CURVES, timeout=120).status_code == 200,
        )


def other_client(server: ApiServer) -> httpx.Client:
    transport = httpx.HTTPTransport(local_address=OTHER_ADDRESS)
    return httpx.Client(base_url=server.url, transport=transport, timeout=120)


@pytest.mark.slow
def test_heavy_client_leaves_slots_for_others(large_world: Settings, tmp_path: Path) -> None:
    variables = {"BREAKOUT_API_CONCURRENT_QUERIES": "4", "BREAKOUT_API_WAIT_SECONDS": "30"}
    with (
        serving(tmp_path, large_world, **variables) as server,
        ThreadPoolExecutor(20) as pool,
        other_client(server) as other,
    ):
        ended = False

        def heavy(number: int) -> set[int]:
            codes: set[int] = set()
            while not ended:
                path = f"{CURVES}&limit={MAX_ROWS - number}"
                codes.add(httpx.get(server.url + path, timeout=120).status_code)
            return codes

        asking = [pool.submit(heavy, number) for number in range(20)]
        try:
            for number in range(10):
                response = other.get("/v1/models", params={"search": f"number-{number}"})
                assert response.status_code == 200, response.text
        finally:
            ended = True
        for one in asking:
            assert one.result() <= {200, 429, 503}


def test_query_time_is_limited_per_client(large_world: Settings, tmp_path: Path) -> None:
    with (
        serving(tmp_path, large_world, BREAKOUT_API_QUERY_SECONDS_PER_MINUTE="1") as server,
        other_client(server) as other,
    ):
        refused = wait_until(
            "the query time is used",
            lambda: (
                found
                if (found := httpx.get(server.url + CURVES, timeout=120)).status_code == 429
                else None
            ),
        )
        assert "s of queries per minute" in refused.json()["detail"]
        assert int(refused.headers["Retry-After"]) > 0
        assert httpx.get(f"{server.url}/v1/sources").status_code == 429
        assert other.get("/v1/sources").status_code == 200


def test_event_streams_are_limited_per_address(server: ApiServer) -> None:
    made = [connect(server) for _number in range(300)]
    for one in made:
        one.sendall(request("/news", "Connection: close"))
    status = [one.recv(12) for one in made]
    for one in made:
        if b"429" in status[made.index(one)]:
            one.close()
    assert status.count(b"HTTP/1.1 200") == 64
    assert status.count(b"HTTP/1.1 429") == 236
    with other_client(server) as other, other.stream("GET", "/news") as response:
        assert response.status_code == 200
        assert httpx.get(f"{server.url}/v1/sources").status_code == 200
    for one in made:
        one.close()
    wait_until("space is free again", lambda: subscribes(server))


def subscribes(server: ApiServer) -> bool:
    with httpx.stream("GET", f"{server.url}/news", timeout=60) as response:
        return response.status_code == 200


def test_stalled_subscriber_is_disconnected(clickhouse: ClickHouseServer, tmp_path: Path) -> None:
    settings = Settings(clickhouse_url=f"{clickhouse.url}/subscribed")
    migrate(settings)
    with (
        closing(writer_client(settings)) as client,
        serving(tmp_path, settings, BREAKOUT_API_STALL_SECONDS="1") as server,
        connect(server, window=SMALL_WINDOW) as made,
    ):
        made.sendall(request("/news"))
        assert made.recv(12) == b"HTTP/1.1 200"

        def is_closed() -> bool:
            # Updates of many parts, which fill the kernel's buffers.
            client.command(
                "INSERT INTO heartbeats SELECT concat('part ', toString(number)), 'x', now64(3), "
                "60, 'running', NULL, NULL, NULL FROM numbers(2000)"
            )
            return was_closed(server, "stalled")

        wait_until("the connection is closed", is_closed, pause=1.0)


def test_idle_subscriber_stays_connected(few: ApiServer) -> None:
    """It has read everything, however long there is no update."""
    with httpx.stream("GET", f"{few.url}/news", timeout=60) as response:
        lines = response.iter_lines()
        for line in lines:
            if line.startswith("data: "):
                break
        # A keep-alive comment arrives every 15 s, longer than any deadline here.
        assert any(line.startswith(":") for line in lines)
