"""Client identification: X-Forwarded-For counts only from trusted proxies."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from api.clients import identify_client, parse_networks
from api.token_buckets import MAX_CLIENTS, TokenBuckets
from breakout.settings import Settings, SettingsError, read_settings
from tests.api.conftest import serving
from tests.support.server_process import free_port

PROXY = "10.0.0.7"
TRUSTED = "10.0.0.0/24, 2001:db8::1"


def identify(peer: str, *forwarded: str, trusted: str = TRUSTED) -> str:
    headers = [(b"x-forwarded-for", one.encode("latin-1")) for one in forwarded]
    scope: dict[str, Any] = {"type": "http", "client": (peer, 1), "headers": headers}
    return identify_client(scope, parse_networks(trusted))


def test_untrusted_forwarded_header_is_ignored() -> None:
    assert identify("192.0.2.1", "198.51.100.9") == "192.0.2.1"
    assert identify(PROXY, "198.51.100.9", trusted="") == PROXY
    assert identify("127.0.0.1", "198.51.100.9", trusted="") == "127.0.0.1"


def test_trusted_proxy_names_the_client() -> None:
    assert identify(PROXY, "198.51.100.9") == "198.51.100.9"
    assert identify("::ffff:10.0.0.7", "198.51.100.9") == "198.51.100.9"
    assert identify("2001:db8::1", "198.51.100.9:4711") == "198.51.100.9"
    assert identify(PROXY, "[2001:db8:1:2:3::4]:80") == "2001:db8:1:2::/64"
    # Proxies append to what the client itself sent.
    assert identify(PROXY, "1.1.1.1, 198.51.100.9, 10.0.0.8") == "198.51.100.9"
    assert identify(PROXY, "1.1.1.1", "198.51.100.9") == "198.51.100.9"
    assert identify(PROXY, "10.0.0.9, 10.0.0.8") == "10.0.0.9"


@pytest.mark.parametrize(
    "wrong",
    [
        *("", " ", ",", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4/8"),
        *("fe80::1%" + "x" * 9000, "1.2.3.4:x", "1.2.3.4:123456", "[::1", "[::1]x", "1.2.3.4\t5"),
        *("\xff", "for=1.2.3.4", "<script>", "1_0.0.0.1", "x" * 60_000, "localhost"),
    ],
)
def test_invalid_address_ends_the_search(wrong: str) -> None:
    assert identify(PROXY, wrong) == PROXY
    # Entries before it are ignored, too.
    assert identify(PROXY, f"198.51.100.9, {wrong}, 10.0.0.8") == "10.0.0.8"


def test_only_the_last_entries_are_read() -> None:
    assert identify(PROXY, ", ".join(["10.0.0.8"] * 10_000)) == "10.0.0.8"


def test_ipv6_network_is_one_client() -> None:
    sites = {identify(f"2001:db8:1:2::{number:x}") for number in range(1, 300)}
    assert sites == {"2001:db8:1:2::/64"}
    assert identify("2001:db8:1:3::1") not in sites


def test_number_of_buckets_is_bounded() -> None:
    buckets = TokenBuckets()
    for number in range(MAX_CLIENTS + 100):
        buckets.take(str(number), 1, 100.0)
    assert len(buckets._full_at) == MAX_CLIENTS
    assert buckets.take(str(MAX_CLIENTS), 1, 100.0) > 0


@pytest.mark.parametrize("wrong", ["localhost", "10.0.0.7/8", "10.0.0", "*", "10.0.0.1 10.0.0.2"])
def test_invalid_trusted_proxies_setting_is_rejected(wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"BREAKOUT_API_TRUSTED_PROXIES.*is not an address"):
        read_settings(api_trusted_proxies=wrong)


@pytest.mark.parametrize("trusted", ["", "127.0.0.1"])
def test_rate_limit_counts_clients_behind_a_trusted_proxy(tmp_path: Path, trusted: str) -> None:
    unavailable = Settings(clickhouse_url=f"http://127.0.0.1:{free_port()}/breakout")
    variables = {"BREAKOUT_API_REQUESTS_PER_MINUTE": "3", "BREAKOUT_API_TRUSTED_PROXIES": trusted}
    variables |= {"FORWARDED_ALLOW_IPS": "*"}
    # The readiness probe takes one request of 127.0.0.1's own limit.
    with serving(tmp_path, unavailable, **variables) as server, httpx.Client() as client:

        def codes(forwarded: str) -> list[int]:
            headers = {"X-Forwarded-For": forwarded}
            return [
                client.get(f"{server.url}/v1/nothing", headers=headers).status_code
                for _number in range(4)
            ]

        first, second = codes("192.0.2.1"), codes("192.0.2.2")
        assert first[-1] == 429
        assert second == ([404, 404, 404, 429] if trusted else [429] * 4)
