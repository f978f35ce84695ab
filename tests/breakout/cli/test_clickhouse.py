"""ClickHouse clients: what they set, and what they say when it does not work."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from breakout.clickhouse.client import (
    await_clickhouse,
    migration_client,
    reader_client,
    writer_client,
)
from breakout.clickhouse.errors import ClickHouseRefusedError, ClickHouseUnavailableError, explained
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings, read_settings
from tests.support.embedded_servers import running_clickhouse
from tests.support.server_process import free_port


@pytest.fixture
def migrated(settings: Settings) -> Settings:
    migrate(settings)
    return settings


def setting(client: Client, name: str) -> str:
    rows = client.query(
        "SELECT value FROM system.settings WHERE name = {n:String}", parameters={"n": name}
    ).result_rows
    return str(rows[0][0])


def test_each_purpose_has_its_settings(migrated: Settings) -> None:
    writer = writer_client(migrated)
    assert setting(writer, "async_insert") == "0"
    assert setting(writer, "insert_deduplicate") == "0"
    reader = reader_client(migrated)
    assert setting(reader, "do_not_merge_across_partitions_select_final") == "1"
    assert setting(migration_client(migrated), "mutations_sync") == "2"


def test_times_are_utc_and_counters_stay_whole(migrated: Settings) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    counter = 2**63 - 1
    writer_client(migrated).insert(
        "downloads_log",
        [["a/b", moment, "huggingface", "live", counter, 1]],
        column_names=[
            "model_id",
            "observed_at",
            "source",
            "origin",
            "downloads_all_time",
            "version",
        ],
    )
    rows = reader_client(migrated).query(
        "SELECT observed_at, downloads_all_time, downloads_30d FROM downloads"
    )
    assert rows.result_rows == [(moment, counter, None)]


def test_threads_may_share_a_client(migrated: Settings) -> None:
    client = reader_client(migrated)
    answers: list[int] = []

    def ask(number: int) -> None:
        answers.append(
            client.query("SELECT {n:UInt32}", parameters={"n": number}).result_rows[0][0]
        )

    threads = [threading.Thread(target=ask, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == list(range(8))


def test_nobody_there_is_unavailable_and_names_the_setting() -> None:
    settings = read_settings(clickhouse_url=f"http://127.0.0.1:{free_port()}/breakout")
    with pytest.raises(ClickHouseUnavailableError, match=r"CLICKHOUSE_URL.*connection refused"):
        writer_client(settings)


def test_no_such_host_is_unavailable() -> None:
    settings = read_settings(clickhouse_url="http://no-such-host.invalid:8123/breakout")
    with pytest.raises(ClickHouseUnavailableError, match="no-such-host"):
        writer_client(settings)


def test_a_wrong_password_is_refused_and_not_shown(tmp_path: Path) -> None:
    with running_clickhouse(tmp_path, admin_password="right-one") as server:
        settings = read_settings(
            clickhouse_url=f"{server.url}/breakout", clickhouse_password="wrong-one"
        )
        with pytest.raises(ClickHouseRefusedError) as error:
            writer_client(settings)
        in_url = read_settings(
            clickhouse_url=f"http://default:wrong-two@127.0.0.1:{server.port}/breakout"
        )
        with pytest.raises(ClickHouseRefusedError) as other:
            writer_client(in_url)
    assert "BREAKOUT_CLICKHOUSE_USER" in str(error.value)
    assert "BREAKOUT_CLICKHOUSE_PASSWORD" in str(error.value)
    assert "wrong-" not in f"{error.value} {other.value}"


def test_a_database_that_is_missing_says_to_migrate(settings: Settings) -> None:
    with pytest.raises(ClickHouseRefusedError, match="run `breakout migrate`"):
        reader_client(settings)


def test_a_table_that_is_missing_says_to_migrate(migrated: Settings) -> None:
    client = reader_client(migrated)
    with (
        pytest.raises(ClickHouseRefusedError, match="run `breakout migrate`") as error,
        explained(migrated),
    ):
        client.query("SELECT * FROM no_such_table")
    assert error.value.code == 60


def test_a_wrong_query_is_refused_in_clickhouses_words(migrated: Settings) -> None:
    client = reader_client(migrated)
    with pytest.raises(ClickHouseRefusedError, match="Syntax error") as error, explained(migrated):
        client.query("SELECT FROM WHERE")
    assert "\n" not in str(error.value)
    assert "for url" not in str(error.value)


def test_a_query_that_takes_too_long_is_unavailable(migrated: Settings) -> None:
    client = reader_client(migrated)
    with pytest.raises(ClickHouseUnavailableError), explained(migrated):
        client.query("SELECT sleepEachRow(1) FROM numbers(3)", settings={"max_execution_time": 1})


def test_a_client_that_waits_too_long_is_unavailable(migrated: Settings) -> None:
    client = reader_client(migrated, timeout_seconds=0.5)
    with pytest.raises(ClickHouseUnavailableError, match="timed out"), explained(migrated):
        client.query("SELECT sleep(3)")


@contextmanager
def answering(status: int) -> Iterator[Settings]:
    """A server that is not ClickHouse and answers everything with one status."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        do_POST = do_GET  # noqa: N815 - the name is the library's

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield read_settings(clickhouse_url=f"http://127.0.0.1:{server.server_port}/breakout")
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("status", [502, 503])
def test_a_proxy_without_a_server_is_unavailable(status: int) -> None:
    with (
        answering(status) as settings,
        pytest.raises(ClickHouseUnavailableError, match=str(status)),
    ):
        writer_client(settings)


@pytest.mark.parametrize("status", [200, 404])
def test_something_else_at_the_address_is_refused(status: int) -> None:
    with (
        answering(status) as settings,
        pytest.raises(ClickHouseRefusedError, match="CLICKHOUSE_URL"),
    ):
        writer_client(settings)


def test_waits_until_clickhouse_answers(tmp_path: Path) -> None:
    port = free_port()
    settings = read_settings(clickhouse_url=f"http://127.0.0.1:{port}/default")
    got: list[Client] = []
    waiting = threading.Thread(target=lambda: got.append(await_clickhouse(settings)))
    waiting.start()
    with running_clickhouse(tmp_path, port=port):
        waiting.join(60)
        assert got[0].query("SELECT 1").result_rows == [(1,)]


def test_gives_up_when_told(tmp_path: Path) -> None:
    settings = read_settings(clickhouse_url=f"http://127.0.0.1:{free_port()}/breakout")
    with pytest.raises(ClickHouseUnavailableError):
        await_clickhouse(settings, give_up_after=0.3)
    stop = threading.Event()
    stop.set()
    with pytest.raises(ClickHouseUnavailableError):
        await_clickhouse(settings, stop=stop)


def test_a_refusal_is_not_waited_out(settings: Settings) -> None:
    with pytest.raises(ClickHouseRefusedError):
        await_clickhouse(settings)
