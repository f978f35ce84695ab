"""Which proxy leads where: every spelling of the variables, and what is said of a wrong one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec

import pytest

from breakout.clickhouse.client import connection_options
from breakout.clickhouse.errors import ClickHouseRefusedError
from breakout.client import Breakout, BreakoutError
from breakout.http.proxies import proxy_for
from breakout.settings import read_settings
from breakout.settings_error import SettingsError
from collectors.http.client import Source
from collectors.http.errors import SourceUnreachableError
from tests.collectors.quick import QUICK
from tests.collectors.scripted import scripted

PROXY = "http://proxy.example:3128"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)
    return monkeypatch


def led_to(url: str) -> str | None:
    proxy = proxy_for(url)
    return proxy.url if proxy else None


@pytest.mark.parametrize("lower", [False, True], ids=["upper", "lower"])
@pytest.mark.parametrize(
    ("variable", "through", "direct"),
    [
        ("HTTP_PROXY", ["http://hub.example/x"], ["https://hub.example/x"]),
        ("HTTPS_PROXY", ["https://hub.example/x"], ["http://hub.example/x"]),
        ("ALL_PROXY", ["http://hub.example/x", "https://hub.example:8443/x"], []),
    ],
)
def test_each_variable_leads_its_scheme(
    environment: pytest.MonkeyPatch,
    variable: str,
    through: list[str],
    direct: list[str],
    *,
    lower: bool,
) -> None:
    environment.setenv(variable.lower() if lower else variable, PROXY)
    assert [led_to(url) for url in through] == [PROXY] * len(through)
    assert [led_to(url) for url in direct] == [None] * len(direct)


def test_lower_case_goes_first_and_an_empty_one_is_unset(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("HTTP_PROXY", "http://upper.example:1")
    environment.setenv("http_proxy", "lower.example:2")
    assert led_to("http://hub.example") == "http://lower.example:2"
    environment.setenv("http_proxy", "")
    assert led_to("http://hub.example") == "http://upper.example:1"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8123/",
        "http://127.9.9.9/",
        "http://localhost:9092",
        "http://api.localhost",
        "http://[::1]:8123",
        "http://[::ffff:127.0.0.1]:80",
        "http://0.0.0.0:8000",
    ],
)
def test_this_machine_is_reached_directly(environment: pytest.MonkeyPatch, url: str) -> None:
    for variable in ("HTTP_PROXY", "ALL_PROXY", "http_proxy"):
        environment.setenv(variable, "nonsense://")
    environment.setenv("NO_PROXY", "[[[")
    assert proxy_for(url) is None


@pytest.mark.parametrize(
    ("listed", "url", "direct"),
    [
        ("*", "http://hub.example", True),
        ("hub.example", "http://hub.example", True),
        ("example", "http://hub.example", True),
        (".example", "http://hub.example", True),
        ("*.example", "http://hub.example", True),
        ("*.example", "http://hub.example.org", False),
        ("ub.example", "http://hub.example", False),
        ("hu*.example", "http://hub.example", True),
        ("HUB.Example.", "http://hub.example", True),
        ("a.example hub.example", "http://hub.example", True),
        (" a.example ,\thub.example,,", "http://hub.example", True),
        ("hub.example:80", "http://hub.example", True),
        ("hub.example:443", "http://hub.example", False),
        ("https://hub.example", "http://hub.example", True),
        ("10.0.0.0/8", "http://10.1.2.3", True),
        ("10.0.0.0/8", "http://11.1.2.3", False),
        ("10.0.0.0/8", "http://hub.example", False),
        ("10.1.2.3", "http://10.1.2.3:99", True),
        ("fd07:b51a:cc66:f0::/64", "http://[fd07:b51a:cc66:f0::5]", True),
        ("[fd07:b51a:cc66:f0::]/64", "http://[fd07:b51a:cc66:f0::5]", True),
        ("[fd00::1]", "http://[fd00::1]:99", True),
        ("fd00::1", "http://[fd00:0::1]", True),
        ("[fd00::1]:80", "http://[fd00::1]:81", False),
        ("localhost,127.0.0.1,::1,[::1]", "http://hub.example", False),
    ],
)
def test_what_no_proxy_lists_is_reached_directly(
    environment: pytest.MonkeyPatch, listed: str, url: str, *, direct: bool
) -> None:
    environment.setenv("HTTP_PROXY", PROXY)
    environment.setenv("NO_PROXY", listed)
    assert led_to(url) == (None if direct else PROXY)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HTTP_PROXY", "ftp://proxy.example"),
        ("http_proxy", "http://"),
        ("http_proxy", "http://[::1"),
        ("HTTP_PROXY", "http://proxy.example:port"),
        ("ALL_PROXY", "socks4://proxy.example:1080"),
        ("all_proxy", "http://pro xy:1"),
        ("NO_PROXY", "[fd00::1"),
        ("no_proxy", "hub.example,[::1]x"),
        ("NO_PROXY", "fd00::/999"),
        ("NO_PROXY", "10.0.0.0/33"),
        ("no_proxy", "hub.example:http"),
        ("NO_PROXY", "hub.example:99999"),
        ("NO_PROXY", "[hub.example]"),
        ("NO_PROXY", "::zz"),
    ],
)
async def test_wrong_variable_is_named(
    environment: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    if variable.upper() == "NO_PROXY":
        environment.setenv("HTTP_PROXY", PROXY)
    environment.setenv(variable, value)
    with pytest.raises(SettingsError, match=rf"^{variable}: "):
        Source("hub", "http://hub.example", "HF_ENDPOINT")
    with pytest.raises(BreakoutError, match=rf"^{variable}: "):
        Breakout("http://hub.example")
    with pytest.raises(ClickHouseRefusedError, match=rf"^{variable}: "):
        connection_options(read_settings(clickhouse_url="http://db.example:8123/breakout"))


def test_password_of_a_proxy_is_not_repeated(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HTTP_PROXY", "http://me:hush@proxy.example:port")
    with pytest.raises(SettingsError) as raised:
        proxy_for("http://hub.example")
    assert "hush" not in str(raised.value)


@pytest.mark.skipif(find_spec("socksio") is not None, reason="socksio is installed")
def test_socks_without_its_library_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    with pytest.raises(SettingsError, match=r"^ALL_PROXY: socks5:// .*pip install socksio"):
        proxy_for("https://hub.example")


def test_file_of_certificates_that_is_not_there_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SSL_CERT_FILE", "/nowhere/at/all.pem")
    with pytest.raises(BreakoutError, match=r"^SSL_CERT_FILE: "):
        Breakout("http://127.0.0.1:1")


@asynccontextmanager
async def proxy(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Run a proxy that answers every request alike, and keep the requests' first lines."""
    lines: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(await reader.readline())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", lines


PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"


async def test_source_is_asked_through_its_proxy(environment: pytest.MonkeyPatch) -> None:
    async with proxy(PAGE) as (url, lines):
        environment.setenv("HTTP_PROXY", url)
        async with Source(
            "hub", "http://hub.example/x", "HF_ENDPOINT", request_policy=QUICK
        ) as hub:
            assert (await hub.json("/api/models")).content == []
    assert lines == [b"GET http://hub.example/x/api/models HTTP/1.1\r\n"]


async def test_source_on_this_machine_is_asked_directly(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    environment.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    environment.setenv("NO_PROXY", "[::1],fd00::/8")
    async with (
        scripted({"/x": []}) as server,
        Source("hub", server.url, "HF_ENDPOINT", request_policy=QUICK) as hub,
    ):
        assert (await hub.json("/x")).content == []


@pytest.mark.parametrize("place", ["127.0.0.1", "localhost", "169.254.169.254", "10.0.0.1"])
async def test_source_outside_cannot_redirect_inside(
    environment: pytest.MonkeyPatch, place: str
) -> None:
    async with scripted({"/x": []}) as inside:
        port = inside.url.rpartition(":")[2]
        moved = f"HTTP/1.1 302 Found\r\nLocation: http://{place}:{port}/x\r\nConnection: close"
        async with proxy(f"{moved}\r\nContent-Length: 0\r\n\r\n".encode()) as (url, lines):
            environment.setenv("HTTP_PROXY", url)
            environment.setenv("NO_PROXY", place)
            async with Source(
                "hub", "http://hub.example", "HF_ENDPOINT", request_policy=QUICK
            ) as hub:
                with pytest.raises(
                    Exception, match=rf"a redirect to {place}, an? .*: check HF_ENDPOINT"
                ):
                    await hub.json("/x")
            assert len(lines) == 1
        assert inside.requests == []


async def test_proxy_that_is_away_is_no_connection(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with Source("hub", "http://hub.example", "HF_ENDPOINT", request_policy=QUICK) as hub:
        with pytest.raises(SourceUnreachableError, match="check HF_ENDPOINT"):
            await hub.json("/x")
