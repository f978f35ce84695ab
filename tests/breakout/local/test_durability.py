"""What is kept over stops and kills of the server."""

import subprocess
import threading
from pathlib import Path

import httpx
import pytest

from tests.support.embedded_servers import running_clickhouse
from tests.support.server_process import STOP_SECONDS
from tests.support.small_disk import requires_small_disk, small_disk

TABLE = "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a"


@pytest.mark.fault
def test_kill_loses_no_confirmed_insert(tmp_path: Path) -> None:
    with running_clickhouse(tmp_path / "clickhouse") as server:
        httpx.post(server.url, content=TABLE).raise_for_status()
        confirmed: list[int] = []
        for round_number in range(3):
            enough = threading.Event()

            def write(first: int, enough: threading.Event) -> None:
                with httpx.Client(base_url=server.url, timeout=170) as http:
                    for number in range(first, first + 1_000_000):
                        # Asking for asynchronous inserts must not make a promise of nothing
                        arguments = {"async_insert": str(number % 2)}
                        insert = f"INSERT INTO t VALUES ({number})"
                        try:
                            answer = http.post("/", content=insert, params=arguments)
                        except httpx.HTTPError:
                            return
                        if answer.status_code == 200:
                            confirmed.append(number)
                        if number - first == 50:
                            enough.set()

            first = 1_000_000 * round_number
            writing = threading.Thread(target=write, args=(first, enough))
            writing.start()
            assert enough.wait(60)
            server.kill()
            writing.join()
            server.start()
            found = httpx.post(server.url, content="SELECT a FROM t ORDER BY a").text.split()
            kept = set(map(int, found))
            assert len(kept) == len(found)
            assert kept >= set(confirmed)
            # At most the one insert whose answer was cut off came on top
            assert len(kept) - len(confirmed) <= round_number + 1


def test_stop_keeps_everything(tmp_path: Path) -> None:
    with running_clickhouse(tmp_path / "clickhouse") as server:
        for statement in (
            "CREATE DATABASE d",
            "CREATE TABLE d.t (a UInt64) ENGINE = MergeTree ORDER BY a",
            "CREATE TABLE d.s (a UInt64) ENGINE = SummingMergeTree ORDER BY tuple()",
            "CREATE MATERIALIZED VIEW d.v TO d.s AS SELECT sum(a) AS a FROM d.t",
            "INSERT INTO d.t SELECT number FROM numbers(1000)",
        ):
            httpx.post(server.url, content=statement).raise_for_status()
        for _ in range(2):
            assert server.stop() == 0
            server.start()
            httpx.post(server.url, content="INSERT INTO d.t VALUES (1)").raise_for_status()
        totals = "SELECT (SELECT sum(a) FROM d.t), (SELECT sum(a) FROM d.s)"
        assert httpx.post(server.url, content=totals).text == "499502\t499502\n"


def test_stop_does_not_wait_for_a_long_query(tmp_path: Path) -> None:
    with running_clickhouse(tmp_path / "clickhouse") as server:
        endless = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"
        outcome: list[str] = []

        def ask() -> None:
            try:
                outcome.append(httpx.post(server.url, content=endless, timeout=170).text)
            except httpx.HTTPError as error:
                outcome.append(repr(error))

        asking = threading.Thread(target=ask)
        asking.start()
        shown = "SELECT count() FROM system.processes WHERE query LIKE 'SELECT count() FROM num%'"
        while httpx.post(server.url, content=shown).text != "1\n":
            pass
        # Raises after STOP_SECONDS
        assert server.stop() == 0
        asking.join()
        assert len(outcome) == 1


def test_two_servers_do_not_share_a_directory(tmp_path: Path) -> None:
    with running_clickhouse(tmp_path / "clickhouse") as server:
        assert server.process is not None
        second = subprocess.run(
            (*server.program, "--path", str(server.path), "--port", "0"),
            input=server.users.to_json() + "\n",
            capture_output=True,
            text=True,
            timeout=STOP_SECONDS,
            check=False,
        )
        assert second.returncode == 1
        assert f"is in use by the process {server.process.pid}" in second.stderr
        assert httpx.post(server.url, content="SELECT 1").text == "1\n"


@requires_small_disk
@pytest.mark.fault
@pytest.mark.parametrize("statement", ["INSERT INTO t VALUES (1)", "INSERT INTO t FORMAT TSV\n1\n"])
def test_an_insert_onto_a_full_disk_is_not_confirmed(tmp_path: Path, statement: str) -> None:
    def count() -> str:
        return httpx.post(server.url, content="SELECT count() FROM t").text

    with (
        small_disk(tmp_path / "disk", 128) as disk,
        running_clickhouse(disk.path / "clickhouse") as server,
    ):
        httpx.post(server.url, content=TABLE).raise_for_status()
        disk.fill()
        answer = httpx.post(server.url, content=statement)
        assert answer.status_code == 500
        assert answer.headers["X-ClickHouse-Exception-Code"] == "243"
        assert "NOT_ENOUGH_SPACE" in answer.text
        assert count() == "0\n"
        disk.free()
        httpx.post(server.url, content=statement).raise_for_status()
        assert count() == "1\n"
