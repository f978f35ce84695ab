"""The login that the embedded ClickHouse gets where nobody sets one."""

import os
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from breakout.clickhouse.local_login import (
    FILE_NAME,
    LoginFileError,
    local_password,
    make_local_password,
)
from breakout.local.runtime import EmbeddedOptions, embedded_servers
from breakout.observability.redaction import Redactor
from breakout.settings import read_settings
from tests.breakout.cli.forked import run_breakout
from tests.support.server_process import free_port


def test_login_is_found_for_its_port_and_user_alone(tmp_path: Path) -> None:
    password = make_local_password(tmp_path, 8123, "default")
    assert local_password(tmp_path, 8123, "default") == password
    assert local_password(tmp_path, 8124, "default") is None
    assert local_password(tmp_path, 8123, "reader") is None
    assert local_password(tmp_path / "nowhere", 8123, "default") is None


def test_login_is_its_owners_alone_and_kept(tmp_path: Path) -> None:
    password = make_local_password(tmp_path, 8123, "default")
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert make_local_password(tmp_path, 9000, "default") == password
    assert local_password(tmp_path, 9000, "default") == password
    assert make_local_password(tmp_path, 9000, "reader") != password
    assert len(password.get_secret_value()) >= 32


def test_login_that_others_could_read_is_made_anew(tmp_path: Path) -> None:
    password = make_local_password(tmp_path, 8123, "default")
    (tmp_path / FILE_NAME).chmod(0o644)
    assert make_local_password(tmp_path, 8123, "default") != password
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", '{"port": 8123}', "\x00"])
def test_damaged_login_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    (tmp_path / FILE_NAME).chmod(0o600)
    for read in (local_password, make_local_password):
        with pytest.raises(LoginFileError, match=FILE_NAME):
            read(tmp_path, 8123, "default")


def test_a_password_that_is_set_goes_first(tmp_path: Path) -> None:
    password = make_local_password(tmp_path, 8123, "default")
    found = read_settings(data_dir=tmp_path, clickhouse_password="")
    assert found.clickhouse.password == password
    given = read_settings(data_dir=tmp_path, clickhouse_password="given")
    assert given.clickhouse.password == SecretStr("given")
    for url in ("http://127.0.0.1:8124/breakout", "http://example.com:8123/breakout"):
        elsewhere = read_settings(data_dir=tmp_path, clickhouse_url=url, clickhouse_password="")
        assert elsewhere.clickhouse.password == SecretStr("")


def test_login_is_not_shown(tmp_path: Path) -> None:
    password = make_local_password(tmp_path, 8123, "default").get_secret_value()
    settings = read_settings(data_dir=tmp_path, clickhouse_password="")
    assert password not in repr(settings.clickhouse.password)
    assert Redactor(settings)(f"sent {password} there") == "sent *** there"


async def test_who_gives_no_login_reads_and_does_not_write(tmp_path: Path) -> None:
    options = EmbeddedOptions(tmp_path / "data", free_port(), free_port())
    async with embedded_servers(options) as servers, httpx.AsyncClient() as http:
        url = servers.clickhouse_url
        create = "CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a"
        assert (await http.post(url, content="SELECT 1")).text == "1\n"
        assert (await http.post(url, content="SELECT 1", auth=("reader", ""))).text == "1\n"
        refused = await http.post(url, content=create)
        assert refused.headers["X-ClickHouse-Exception-Code"] == "164"
        wrong = await http.post(url, content="SELECT 1", auth=("default", "guess"))
        assert wrong.headers["X-ClickHouse-Exception-Code"] == "516"
        password = local_password(options.data_dir, options.clickhouse_port, "default")
        assert password is not None
        login = ("default", password.get_secret_value())
        (await http.post(url, content=create, auth=login)).raise_for_status()


async def test_a_reader_with_a_password_closes_reading(tmp_path: Path) -> None:
    options = EmbeddedOptions(
        tmp_path / "data", free_port(), free_port(), readonly_password=SecretStr("r")
    )
    async with embedded_servers(options) as servers, httpx.AsyncClient() as http:
        url = servers.clickhouse_url
        refused = await http.post(url, content="SELECT 1")
        assert refused.headers["X-ClickHouse-Exception-Code"] == "516"
        assert (await http.post(url, content="SELECT 1", auth=("reader", "r"))).text == "1\n"


async def test_a_password_of_the_admin_alone_closes_reading_but_for_our_own(tmp_path: Path) -> None:
    options = EmbeddedOptions(
        tmp_path / "data", free_port(), free_port(), admin_password=SecretStr("a")
    )
    async with embedded_servers(options) as servers, httpx.AsyncClient() as http:
        url = servers.clickhouse_url
        for user in ("reader", "default"):
            refused = await http.post(url, content="SELECT 1", auth=(user, ""))
            assert refused.headers["X-ClickHouse-Exception-Code"] == "516"
        settings = read_settings(
            data_dir=options.data_dir, clickhouse_url=f"{url}/breakout", clickhouse_password="a"
        )
        reader = settings.clickhouse_reader
        login = (reader.user, reader.password.get_secret_value())
        assert (await http.post(url, content="SELECT 1", auth=login)).text == "1\n"


def test_login_is_printed_on_request(tmp_path: Path) -> None:
    password = make_local_password(tmp_path, 8123, "default").get_secret_value()
    environment = {"BREAKOUT_DATA_DIR": str(tmp_path), "CLICKHOUSE_URL": ""}
    done = run_breakout(["embedded", "--login"], {**os.environ, **environment}, 60)
    assert done.stdout == f"http://default:{password}@127.0.0.1:8123/breakout\n"
    environment["BREAKOUT_DATA_DIR"] = str(tmp_path / "other")
    done = run_breakout(["embedded", "--login"], {**os.environ, **environment}, 60)
    assert done.returncode == 1
    assert "no login for http://127.0.0.1:8123/breakout" in done.stderr
