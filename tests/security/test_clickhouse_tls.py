"""ClickHouse over TLS: trusted when its authority is named, else refused at once and clearly."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.database import Database
from api.token_buckets import TokenBuckets
from breakout.clickhouse.client import reader_client
from breakout.clickhouse.errors import ClickHouseError, ClickHouseRefusedError
from breakout.clickhouse.migrations import migrate
from breakout.settings import SettingsError, read_settings
from tests.breakout.cli.forked import run_breakout
from tests.security.authority import Authority
from tests.security.tls_front import tls_front
from tests.support.brokers import running_broker
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse
from tests.support.pipeline import Worker


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "ours")


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("another"), "another")


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(tmp_path_factory.mktemp("clickhouse")) as server:
        yield server


@pytest.fixture(scope="module")
def port(clickhouse: ClickHouseServer, authority: Authority) -> Iterator[int]:
    """ClickHouse's encrypted port; its certificate is for localhost."""
    with tls_front(clickhouse.port, authority.server_context("localhost")) as port:
        yield port


def test_with_its_authority_everything_goes_encrypted(port: int, authority: Authority) -> None:
    settings = read_settings(
        clickhouse_url=f"https://localhost:{port}/encrypted", clickhouse_ca_file=authority.file
    )
    migrate(settings)
    rows = reader_client(settings).query("SELECT count() FROM downloads").result_rows
    assert rows == [(0,)]


async def test_so_does_what_the_api_asks(port: int, authority: Authority) -> None:
    settings = read_settings(
        clickhouse_url=f"https://localhost:{port}/default", clickhouse_ca_file=authority.file
    )
    database = Database(settings, TokenBuckets())
    try:
        assert await database.queued_lines("SELECT 1 AS one", {}) == b'{"one":1}\n'
    finally:
        await database.close()
    database = Database(
        read_settings(clickhouse_url=f"https://localhost:{port}/default"), TokenBuckets()
    )
    with pytest.raises(ClickHouseError, match="its certificate is not trusted"):
        await database.queued_lines("SELECT 1 AS one", {})
    await database.close()


def test_an_authority_that_is_not_named_is_not_trusted(
    port: int, authority: Authority, another: Authority
) -> None:
    address = f"https://localhost:{port}/default"
    for settings in (
        read_settings(clickhouse_url=address),
        read_settings(clickhouse_url=address, clickhouse_ca_file=another.file),
    ):
        with pytest.raises(
            ClickHouseRefusedError, match=r"not trusted \(.*BREAKOUT_CLICKHOUSE_CA_FILE"
        ):
            reader_client(settings)
    by_number = read_settings(
        clickhouse_url=f"https://127.0.0.1:{port}/default", clickhouse_ca_file=authority.file
    )
    with pytest.raises(ClickHouseRefusedError, match="use a host name that the certificate"):
        reader_client(by_number)


def test_an_address_that_does_not_speak_tls_is_said(clickhouse: ClickHouseServer) -> None:
    settings = read_settings(clickhouse_url=f"https://localhost:{clickhouse.port}/default")
    with pytest.raises(ClickHouseRefusedError, match=r"CLICKHOUSE_URL.*does not speak TLS"):
        reader_client(settings)


def test_processes_end_and_say_why(port: int, another: Authority, tmp_path: Path) -> None:
    with running_broker(tmp_path / "broker") as broker:
        environment = {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
            "CLICKHOUSE_URL": f"https://localhost:{port}/default",
            "BREAKOUT_CLICKHOUSE_CA_FILE": str(another.file),
        }
        worker = Worker(environment, tmp_path / "worker.log")
        shown = run_breakout(["migrate"], environment, 60)
        try:
            assert worker.process.wait(60) == 1
        finally:
            worker.kill()
    assert shown.returncode == 1
    for said in (shown.stderr, worker.log.read_text()):
        assert "its certificate is not trusted" in said
        assert "BREAKOUT_CLICKHOUSE_CA_FILE" in said
        assert "Traceback" not in said


@pytest.mark.parametrize("variable", ["BREAKOUT_CLICKHOUSE_CA_FILE", "KAFKA_SSL_CA_FILE"])
def test_a_file_of_authorities_is_looked_at_when_settings_are_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    file = tmp_path / "authority.pem"
    monkeypatch.setenv(variable, str(file))
    with pytest.raises(
        SettingsError, match=rf"{variable}: cannot read certificates from .*authority.pem \(No"
    ):
        read_settings()
    file.write_text("no certificate")
    with pytest.raises(SettingsError, match=rf"{variable}: .* file of certificates in PEM"):
        read_settings()
    Authority(tmp_path, "authority")
    read_settings()
