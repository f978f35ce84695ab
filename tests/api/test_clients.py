"""Who asks: a proxy is believed only where a setting names it."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from api.clients import asking, networks
from api.token_buckets import MOST_CLIENTS, Buckets
from breakout.settings import Settings, SettingsError, read_settings
from tests.api.conftest import serving
from tests.support.server_process import free_port

PROXY = "10.0.0.7"
TRUSTED = "10.0.0.0/24, 2001:db8::1"


def asked(peer: str, *forwarded: str, trusted: str = TRUSTED) -> str:
    headers = [(b"x-forwarded-for", one.encode("latin-1")) for one in forwarded]
    scope: dict[str, Any] = {"type": "http", "client": (peer, 1), "headers": headers}
    return asking(scope, networks(trusted))


def test_nobody_else_is_believed() -> None:
    assert asked("192.0.2.1", "198.51.100.9") == "192.0.2.1"
    assert asked(PROXY, "198.51.100.9", trusted="") == PROXY
    assert asked("127.0.0.1", "198.51.100.9", trusted="") == "127.0.0.1"


def test_a_proxy_says_who_asks() -> None:
    assert asked(PROXY, "198.51.100.9") == "198.51.100.9"
    assert asked("::ffff:10.0.0.7", "198.51.100.9") == "198.51.100.9"
    assert asked("2001:db8::1", "198.51.100.9:4711") == "198.51.100.9"
    assert asked(PROXY, "[2001:db8:1:2:3::4]:80") == "2001:db8:1:2::/64"
    # What a client sends itself stands before what the proxies add.
    assert asked(PROXY, "1.1.1.1, 198.51.100.9, 10.0.0.8") == "198.51.100.9"
    assert asked(PROXY, "1.1.1.1", "198.51.100.9") == "198.51.100.9"
    assert asked(PROXY, "10.0.0.9, 10.0.0.8") == "10.0.0.9"


@pytest.mark.parametrize(
    "wrong",
    [
        *("", " ", ",", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4/8"),
        *("fe80::1%" + "x" * 9000, "1.2.3.4:x", "1.2.3.4:123456", "[::1", "[::1]x", "1.2.3.4\t5"),
        *("\xff", "for=1.2.3.4", "<script>", "1_0.0.0.1", "x" * 60_000, "localhost"),
    ],
)
def test_what_is_no_address_is_nobody(wrong: str) -> None:
    assert asked(PROXY, wrong) == PROXY
    # Nor is what stands before it believed.
    assert asked(PROXY, f"198.51.100.9, {wrong}, 10.0.0.8") == "10.0.0.8"


def test_many_entries_are_not_read() -> None:
    assert asked(PROXY, ", ".join(["10.0.0.8"] * 10_000)) == "10.0.0.8"


def test_a_site_of_ipv6_is_one_client() -> None:
    sites = {asked(f"2001:db8:1:2::{number:x}") for number in range(1, 300)}
    assert sites == {"2001:db8:1:2::/64"}
    assert asked("2001:db8:1:3::1") not in sites


def test_accounts_are_bounded() -> None:
    buckets = Buckets()
    for number in range(MOST_CLIENTS + 100):
        buckets.take(str(number), 1, 100.0)
    assert len(buckets._free_at) == MOST_CLIENTS
    assert buckets.take(str(MOST_CLIENTS), 1, 100.0) > 0


@pytest.mark.parametrize("wrong", ["localhost", "10.0.0.7/8", "10.0.0", "*", "10.0.0.1 10.0.0.2"])
def test_a_setting_that_names_no_proxy_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"BREAKOUT_API_TRUSTED_PROXIES.*is not an address"):
        read_settings(api_trusted_proxies=wrong)


@pytest.mark.parametrize("trusted", ["", "127.0.0.1"])
def test_rates_are_of_the_client_behind_a_trusted_proxy(tmp_path: Path, trusted: str) -> None:
    away = Settings(clickhouse_url=f"http://127.0.0.1:{free_port()}/breakout")
    variables = {"BREAKOUT_API_REQUESTS_PER_MINUTE": "3", "BREAKOUT_API_TRUSTED_PROXIES": trusted}
    variables |= {"FORWARDED_ALLOW_IPS": "*"}
    # One to look whether it is up.
    with serving(tmp_path, away, **variables) as server, httpx.Client() as client:

        def codes(forwarded: str) -> list[int]:
            headers = {"X-Forwarded-For": forwarded}
            return [
                client.get(f"{server.url}/v1/nothing", headers=headers).status_code
                for _number in range(4)
            ]

        first, second = codes("192.0.2.1"), codes("192.0.2.2")
        assert first[-1] == 429
        assert second == ([404, 404, 404, 429] if trusted else [429] * 4)
