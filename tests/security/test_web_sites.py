"""A web page cannot use the embedded ClickHouse by way of its reader's browser."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.embedded_servers import ClickHouseServer, running_clickhouse


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    """One without passwords: the worst that a page can meet."""
    with running_clickhouse(tmp_path_factory.mktemp("clickhouse")) as server:
        yield server


@pytest.mark.parametrize(
    "host",
    [
        "attacker.example",
        "attacker.example:{port}",
        "127.0.0.1.attacker.example:{port}",
        "localhost.attacker.example:{port}",
        "localhost@attacker.example",
        "169.254.169.254",
        "0.0.0.0:{port}",
        "[::]:{port}",
        "[::1",
        "breakout",
    ],
)
@pytest.mark.parametrize("path", ["/", "/ping", "/nothing"])
def test_a_name_that_was_made_to_lead_here_is_refused(
    server: ClickHouseServer, host: str, path: str
) -> None:
    """DNS rebinding: for the browser the page and this server are one site."""
    asked = host.format(port=server.port)
    answer = httpx.post(
        f"{server.url}{path}",
        content="SELECT 'secret'",
        headers={"Host": asked, "Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 403
    assert answer.headers["X-ClickHouse-Exception-Code"] == "497"
    assert "Only requests to 127.0.0.1 or localhost are allowed" in answer.text
    assert asked in answer.text
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://attacker.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_other_sites_are_refused(
    server: ClickHouseServer, headers: dict[str, str], method: str
) -> None:
    answer = httpx.request(method, server.url, params={"query": "SELECT 'secret'"}, headers=headers)
    assert answer.status_code == 403
    assert "Cross-origin requests are not allowed" in answer.text
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:1", "[::1]:8123"])
def test_this_machines_own_names_are_answered(server: ClickHouseServer, host: str) -> None:
    answer = httpx.post(server.url, content="SELECT 1", headers={"Host": host})
    assert answer.text == "1\n"
    answer = httpx.post(
        server.url, content="SELECT 1", headers={"Host": host, "Origin": f"http://{host}"}
    )
    assert answer.text == "1\n"
