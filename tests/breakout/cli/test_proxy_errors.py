"""Commands that talk to this machine do so directly, whatever proxies the environment names."""

import json

import pytest

from tests.breakout.cli.conftest import Breakout
from tests.support.server_process import Broker

NOWHERE = "http://127.0.0.1:9"
PROXIES = [
    {"http_proxy": NOWHERE, "all_proxy": "socks5h://127.0.0.1:9", "no_proxy": "hub.example"},
    {"HTTP_PROXY": NOWHERE, "ALL_PROXY": "nonsense://", "NO_PROXY": "[[[,fd00::/8"},
]


@pytest.mark.parametrize("proxies", PROXIES, ids=str)
def test_servers_of_this_machine_are_reached_directly(
    breakout: Breakout, broker: Broker, proxies: dict[str, str]
) -> None:
    variables = {**proxies, "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap}
    migrated = breakout("migrate", **variables)
    assert migrated.returncode == 0, migrated.stderr
    status = breakout("status", "--format", "json", **variables)
    parts = {part["part"]: part for part in json.loads(status.stdout)["parts"]}
    assert parts["clickhouse"]["state"] == "up", parts
    assert parts["kafka"]["state"] == "empty", parts  # it has no topics yet, and said so


def test_wrong_variable_is_named_where_it_is_needed(breakout: Breakout) -> None:
    away = {"CLICKHOUSE_URL": "http://db.example:8123/breakout", "HTTP_PROXY": "gopher://x"}
    done = breakout("top", **away)
    assert done.returncode == 1
    assert done.stderr.startswith("breakout: HTTP_PROXY: must be the URL of a proxy")
