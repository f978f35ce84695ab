"""Settings: paths, addresses and choices are normalised, or rejected with the variable's name."""

import socket
from pathlib import Path

import pytest

from breakout.http.addresses import host_port
from breakout.settings import Settings, SettingsError, read_settings

PATHS = ("BREAKOUT_NAMES_FILE", "BREAKOUT_OVERRIDES_FILE", "BREAKOUT_API_KEYS_FILE")
SERVERS = "KAFKA_BOOTSTRAP_SERVERS"


def field(variable: str) -> str:
    return next(name for name, one in Settings.model_fields.items() if one.alias == variable)


@pytest.mark.parametrize("variable", ["BREAKOUT_DATA_DIR", *PATHS])
def test_tilde_expands_to_home_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(variable, "~/of/mine")
    assert getattr(read_settings(), field(variable)) == tmp_path / "of" / "mine"
    monkeypatch.setenv(variable, "~nobody-of-this-name/x")
    with pytest.raises(SettingsError, match=rf"^{variable}: ~ has no home folder"):
        read_settings()


@pytest.mark.parametrize("variable", ["KAFKA_SSL_CA_FILE", "BREAKOUT_CLICKHOUSE_CA_FILE"])
def test_tilde_in_certificates_file_expands_to_home_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(variable, "~/ca.pem")
    with pytest.raises(
        SettingsError, match=rf"^{variable}: cannot read certificates from {tmp_path}/ca\.pem"
    ):
        read_settings()


def test_relative_xdg_folder_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("BREAKOUT_DATA_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", "~/data")
    assert read_settings().data_dir == tmp_path / ".local" / "share" / "breakout"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert read_settings().data_dir == tmp_path / "data" / "breakout"


@pytest.mark.parametrize(
    ("variable", "choices"),
    [
        ("KAFKA_SECURITY_PROTOCOL", "'PLAINTEXT', 'SSL', 'SASL_PLAINTEXT' or 'SASL_SSL'"),
        ("KAFKA_SASL_MECHANISM", "'PLAIN', 'SCRAM-SHA-256' or 'SCRAM-SHA-512'"),
        ("BREAKOUT_LOG_FORMAT", "'auto', 'json' or 'console'"),
    ],
)
def test_invalid_choice_lists_choices(
    monkeypatch: pytest.MonkeyPatch, variable: str, choices: str
) -> None:
    monkeypatch.setenv(variable, "tls")
    with pytest.raises(SettingsError, match=rf"^{variable}: must be {choices}$"):
        read_settings()


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        (SERVERS, "::1:9092", r"an IPv6 address must be in brackets, such as \[::1\]:9092"),
        (SERVERS, "a:1,fe80::1:9092", "an IPv6 address must be in brackets"),
        (SERVERS, "[::1:9092", "must be host:port"),
        (SERVERS, "[host]:9092", "must be host:port"),
        (SERVERS, "kafka://host:9092", "must be host:port"),
        (SERVERS, "ho st:9092", "must be host:port"),
        (SERVERS, "host", "must be host:port"),
        ("CLICKHOUSE_URL", "http://::1:8123/breakout", "an IPv6 address must be in brackets"),
        ("HF_ENDPOINT", "http://me:pw@fe80::1", "an IPv6 address must be in brackets"),
        ("HF_ENDPOINT", "http://xn--/", "must be an http:// or https:// URL"),
        ("HF_ENDPOINT", "https://hub.example/?a=b", "without .query and #fragment"),
        ("TRACKED_MODELS_URL", "https://hub.example/#a", "without .query and #fragment"),
        ("BREAKOUT_API_HOST", "127.0.0.1:8000", "a host name or an address without a port"),
        ("BREAKOUT_API_HOST", "http://127.0.0.1", "a host name or an address without a port"),
        ("BREAKOUT_METRICS_HOST", "[::1]:9464", "a host name or an address without a port"),
        (
            "BREAKOUT_API_CORS_ORIGINS",
            "lab.example",
            r"must be \* or a comma-separated list of origins",
        ),
        (
            "BREAKOUT_API_CORS_ORIGINS",
            "https://lab.example/",
            r"must be \* or a comma-separated list of origins",
        ),
    ],
)
def test_invalid_address_error_names_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, why: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=rf"^{variable}: .*{why}"):
        read_settings()


def test_ipv6_address_is_shown_in_brackets() -> None:
    settings = read_settings(
        kafka_bootstrap_servers=" [::1]:9092 , other:9093 ",
        clickhouse_url="http://[::1]:8123/breakout",
        api_host="[::1]",
        metrics_host="::1",
    )
    assert settings.kafka_bootstrap_servers == "[::1]:9092,other:9093"
    assert (settings.api_host, settings.metrics_host) == ("::1", "::1")
    assert settings.clickhouse.host == "::1"
    assert str(settings.clickhouse) == "http://[::1]:8123/breakout"
    assert host_port("127.0.0.1", 80) == "127.0.0.1:80"


def test_faust_keeps_brackets_of_ipv6_server() -> None:
    from faust.transport.drivers.aiokafka import server_list
    from yarl import URL

    assert server_list([URL("kafka://[::1]:9092")], 9092) == ["[::1]:9092"]


async def test_server_at_an_ipv6_address_is_found() -> None:
    from breakout.cli.reachable import is_reachable

    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with listener:
        assert await is_reachable(f"[::1]:{listener.getsockname()[1]}")
