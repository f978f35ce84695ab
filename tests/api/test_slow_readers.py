"""Who does not read, or reads slowly, or asks for much at once: others have their answers."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from breakout.clickhouse.client import writer_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings
from tests.api.conftest import serving
from tests.api.raw import SMALL_WINDOW, begun, connect, request, rest
from tests.api.server import ApiServer
from tests.support.embedded_servers import ClickHouseServer
from tests.support.waiting import wait_until

CURVES = "/v1/ram/curves?format=csv"
READERS = 8
NEIGHBOUR = "127.0.0.2"
"""Another address of this machine."""


@pytest.fixture(scope="module")
def few(large_world: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """An API of two queries at once, that cuts who does not read within a second."""
    variables = {"BREAKOUT_API_CONCURRENT_QUERIES": "2", "BREAKOUT_API_WAIT_SECONDS": "120"}
    variables |= {"BREAKOUT_API_FRESH_SECONDS": "60", "BREAKOUT_API_STALL_SECONDS": "1"}
    with serving(tmp_path_factory.mktemp("few"), large_world, **variables) as server:
        yield server


def cut(server: ApiServer, why: str) -> bool:
    """Return whether the log has a connection that was cut for this."""
    lines = map(json.loads, server.log.read_text().splitlines())
    return any(line["event"] == "cut a connection" and line["why"] == why for line in lines)


def length(head: bytes) -> int:
    (found,) = (
        line.split(b":")[1] for line in head.split(b"\r\n") if line.startswith(b"content-length")
    )
    return int(found)


def test_readers_that_do_not_read_stop_nobody(large_world: Settings, tmp_path: Path) -> None:
    variables = {"BREAKOUT_API_CONCURRENT_QUERIES": "2", "BREAKOUT_API_WAIT_SECONDS": "120"}
    variables |= {"BREAKOUT_API_FRESH_SECONDS": "60", "BREAKOUT_API_STALL_SECONDS": "120"}
    with serving(tmp_path, large_world, **variables) as server:
        slow = [begun(server, CURVES) for _number in range(READERS)]
        for _made, head in slow:
            assert head.startswith(b"HTTP/1.1 200 ")
        # None of them has been read, and none has a query.
        again = httpx.get(server.url + CURVES, timeout=120)
        assert again.status_code == 200
        assert httpx.get(f"{server.url}/v1/models?limit=5").status_code == 200
        # What one reads late is whole.
        made, head = slow[0]
        body = b""
        while len(body) < length(head):
            body += made.recv(1 << 20)
        assert body == again.content
        for made, _head in slow:
            made.close()


def test_who_does_not_read_is_cut(few: ApiServer) -> None:
    made, head = begun(few, CURVES)
    wait_until("it is cut", lambda: cut(few, "stalled"))
    assert len(rest(made)) < length(head)


def test_who_reads_drop_by_drop_is_cut_in_the_end(large_world: Settings, tmp_path: Path) -> None:
    with serving(tmp_path, large_world, BREAKOUT_API_ANSWER_SECONDS="2") as server:
        made, _head = begun(server, CURVES)

        def one_more() -> bool:
            try:
                return not made.recv(4096)
            except ConnectionResetError:
                return True

        wait_until("it is cut", one_more)
        made.close()
        assert cut(server, "slow")


def test_readers_that_leave_midway_break_nothing(few: ApiServer) -> None:
    for _number in range(3):
        made, _head = begun(few, CURVES)
        made.close()
        # Before its answer begins, too.
        with connect(few) as early:
            early.sendall(request(CURVES))
    assert httpx.get(few.url + CURVES, timeout=120).status_code == 200
    assert "Traceback" not in few.log.read_text()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_thousand_answers_left_midway_break_nothing(
    large_world: Settings, tmp_path: Path
) -> None:
    """Eight readers leave answers of every format midway, while rows are written."""
    names = ("RATE", "QUERY_RATE")
    variables = {f"BREAKOUT_API_{name}": "1000000" for name in names}
    variables |= {"BREAKOUT_API_CONCURRENT_QUERIES": "8", "BREAKOUT_API_WAIT_SECONDS": "120"}
    formats = ("csv", "json", "parquet", "arrow")
    written: list[int] = []
    with (
        serving(tmp_path, large_world, **variables) as server,
        closing(writer_client(large_world)) as client,
        ThreadPoolExecutor(READERS) as readers,
    ):
        client.command("CREATE TABLE written (a UInt64) ENGINE = MergeTree ORDER BY a")

        def leave(number: int) -> None:
            path = f"/v1/ram/curves?format={formats[number % 4]}&limit=10000"
            if number % 5:
                made, head = begun(server, path)
                made.recv(1000)
                made.close()
                assert head.startswith(b"HTTP/1.1 200 "), head
            else:
                with connect(server) as early:
                    early.sendall(request(path))

        leaving = [readers.submit(leave, number) for number in range(1000)]
        while not all(one.done() for one in leaving):
            client.insert("written", [[len(written)]], ["a"])
            written.append(len(written))
        for one in leaving:
            one.result()
        rows = client.query("SELECT a FROM written ORDER BY a").result_rows
        assert [number for (number,) in rows] == written
        assert httpx.get(server.url + CURVES, timeout=120).status_code == 200
        assert "Traceback" not in server.log.read_text()


def test_an_answer_that_is_too_large_says_so(large_world: Settings, tmp_path: Path) -> None:
    with serving(tmp_path, large_world, BREAKOUT_API_SPOOL_MEBIBYTES="8") as server:
        answer = httpx.get(server.url + CURVES, timeout=120)
        assert answer.status_code == 422
        assert "larger than 2 MiB" in answer.json()["detail"]
        assert httpx.get(f"{server.url}{CURVES}&limit=10000", timeout=120).status_code == 200


def test_unread_answers_of_a_client_leave_room_for_others(
    large_world: Settings, tmp_path: Path
) -> None:
    variables = {"BREAKOUT_API_SPOOL_MEBIBYTES": "80", "BREAKOUT_API_WAIT_SECONDS": "2"}
    with serving(tmp_path, large_world, **variables) as server:
        slow = [begun(server, CURVES)[0] for _number in range(2)]
        refused = httpx.get(server.url + CURVES, timeout=120)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0
        assert httpx.get(f"{server.url}/v1/models?limit=5").status_code == 200
        with neighbour(server) as other:
            assert other.get(CURVES).status_code == 200
        for made in slow:
            made.close()
        wait_until(
            "there is room again",
            lambda: httpx.get(server.url + CURVES, timeout=120).status_code == 200,
        )


def neighbour(server: ApiServer) -> httpx.Client:
    transport = httpx.HTTPTransport(local_address=NEIGHBOUR)
    return httpx.Client(base_url=server.url, transport=transport, timeout=120)


def test_heavy_clients_at_one_address_leave_others_their_answers(
    large_world: Settings, tmp_path: Path
) -> None:
    variables = {"BREAKOUT_API_CONCURRENT_QUERIES": "4", "BREAKOUT_API_WAIT_SECONDS": "30"}
    with (
        serving(tmp_path, large_world, **variables) as server,
        ThreadPoolExecutor(20) as pool,
        neighbour(server) as other,
    ):
        ended = False

        def heavy(number: int) -> set[int]:
            codes: set[int] = set()
            while not ended:
                path = f"{CURVES}&model=none/of-{number}&model=none"
                codes.add(httpx.get(server.url + path, timeout=120).status_code)
            return codes

        asking = [pool.submit(heavy, number) for number in range(20)]
        try:
            for number in range(10):
                answer = other.get("/v1/models", params={"search": f"number-{number}"})
                assert answer.status_code == 200, answer.text
        finally:
            ended = True
        for one in asking:
            assert one.result() <= {200, 429, 503}


def test_queries_are_counted_by_their_time(large_world: Settings, tmp_path: Path) -> None:
    with (
        serving(tmp_path, large_world, BREAKOUT_API_QUERY_SECONDS_PER_MINUTE="1") as server,
        neighbour(server) as other,
    ):
        refused = wait_until(
            "it has used its time",
            lambda: (
                found
                if (found := httpx.get(server.url + CURVES, timeout=120)).status_code == 429
                else None
            ),
        )
        assert "s of queries a minute" in refused.json()["detail"]
        assert int(refused.headers["Retry-After"]) > 0
        assert httpx.get(f"{server.url}/v1/sources").status_code == 429
        assert other.get("/v1/sources").status_code == 200


def test_streams_of_one_address_are_counted(server: ApiServer) -> None:
    made = [connect(server) for _number in range(300)]
    for one in made:
        one.sendall(request("/news", "Connection: close"))
    status = [one.recv(12) for one in made]
    for one in made:
        if b"429" in status[made.index(one)]:
            one.close()
    assert status.count(b"HTTP/1.1 200") == 64
    assert status.count(b"HTTP/1.1 429") == 236
    with neighbour(server) as other, other.stream("GET", "/news") as answer:
        assert answer.status_code == 200
        assert httpx.get(f"{server.url}/v1/sources").status_code == 200
    for one in made:
        one.close()
    wait_until("there is room again", lambda: follows(server))


def follows(server: ApiServer) -> bool:
    with httpx.stream("GET", f"{server.url}/news", timeout=60) as answer:
        return answer.status_code == 200


def test_a_follower_that_does_not_read_is_cut(clickhouse: ClickHouseServer, tmp_path: Path) -> None:
    settings = Settings(clickhouse_url=f"{clickhouse.url}/followed")
    migrate(settings)
    with (
        closing(writer_client(settings)) as client,
        serving(tmp_path, settings, BREAKOUT_API_STALL_SECONDS="1") as server,
        connect(server, window=SMALL_WINDOW) as made,
    ):
        made.sendall(request("/news"))
        assert made.recv(12) == b"HTTP/1.1 200"

        def is_cut() -> bool:
            # News of many parts, so that they fill what the kernel takes.
            client.command(
                "INSERT INTO heartbeats SELECT concat('part ', toString(number)), 'x', now64(3), "
                "60, 'running', NULL, NULL, NULL FROM numbers(2000)"
            )
            return cut(server, "stalled")

        wait_until("it is cut", is_cut, pause=1.0)


def test_an_idle_follower_stays(few: ApiServer) -> None:
    """It reads all there is, so that nothing is unread, however long there is no news."""
    with httpx.stream("GET", f"{few.url}/news", timeout=60) as answer:
        lines = answer.iter_lines()
        for line in lines:
            if line.startswith("data: "):
                break
        # Kept alive by a comment every 15 s, which is longer than any deadline here.
        assert any(line.startswith(":") for line in lines)
