"""Settings of the demo, and the environment that passes them to its children."""

import socket
from pathlib import Path

from breakout.settings import Settings, read_settings

# Settings of the user's own installation.
SOURCE_SETTINGS = (
    "BREAKOUT_OVERRIDES_FILE",
    "BREAKOUT_NAMES_FILE",
    "HF_TOKEN",
    "OPENROUTER_API_KEY",
    "ARTIFICIAL_ANALYSIS_API_KEY",
)
NOT_INHERITED = (
    "BREAKOUT_CLICKHOUSE_USER",
    "BREAKOUT_CLICKHOUSE_PASSWORD",
    "BREAKOUT_READER_USER",
    "BREAKOUT_READER_PASSWORD",
    "BREAKOUT_GROUP",
    "BREAKOUT_DERIVATIVES_REQUESTS",
    *SOURCE_SETTINGS,
)


def given_servers(settings: Settings) -> tuple[Settings, dict[str, str | None]]:
    """Return the settings, and the environment of children that use their servers."""
    own: dict[str, str | None] = {"BREAKOUT_LOG_FORMAT": "json", "BREAKOUT_METRICS_PORT": "0"}
    return settings, {**own, **dict.fromkeys(SOURCE_SETTINGS)}


def own_servers(directory: Path) -> tuple[Settings, dict[str, str | None]]:
    """Return settings of embedded servers on free ports, and the environment of children."""
    data_dir = directory / "servers"
    environment: dict[str, str | None] = {
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
        "CLICKHOUSE_URL": f"http://127.0.0.1:{free_port()}/breakout",
        "BREAKOUT_DATA_DIR": str(data_dir),
        "TMPDIR": str(directory),
        "BREAKOUT_LOG_FORMAT": "json",
        "BREAKOUT_METRICS_PORT": "0",
        # Nothing here uses TLS: save every run the loading of all certificates.
        "SSL_CERT_DIR": str(directory),
        "SSL_CERT_FILE": None,
        **dict.fromkeys(NOT_INHERITED),
    }
    settings = read_settings(
        kafka_bootstrap_servers=environment["KAFKA_BOOTSTRAP_SERVERS"],
        clickhouse_url=environment["CLICKHOUSE_URL"],
        data_dir=data_dir,
        clickhouse_user="default",
        clickhouse_password="",
        reader_password=None,
        group="breakout",
    )
    return settings, environment


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is not in use."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
