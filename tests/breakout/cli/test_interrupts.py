"""Ctrl-C ends a command with exit code 130 and one line."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from breakout.settings import Settings
from tests.breakout.cli.forked import REPOSITORY
from tests.breakout.cli.seed import seed
from tests.support.server_process import free_port

SECONDS = 60


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(SECONDS)
        yield server


def started(*arguments: str, **variables: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "breakout", *arguments],
        cwd=REPOSITORY,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    "command",
    ["top", "chart ram_curves", "status", "baseline list", "baseline freeze x", "worker"],
)
def test_interrupted_query_is_one_line(
    environment: dict[str, str], silent: socket.socket, command: str
) -> None:
    variables = {
        **environment,
        "CLICKHOUSE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/breakout",
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
    }
    with started(*command.split(), **variables) as process:
        connection, _ = silent.accept()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
        connection.close()
    assert (process.returncode, out, err) == (130, "", "breakout: interrupted\n")


def test_interrupted_api_says_so_last(environment: dict[str, str], settings: Settings) -> None:
    seed(settings).close()
    with started("api", **environment, BREAKOUT_API_PORT="0") as process:
        assert process.stderr is not None
        while "serving the API" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "breakout: interrupted"
    assert "Traceback" not in err


def test_interrupted_simulation_says_so(environment: dict[str, str]) -> None:
    with started("simulation", **environment) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("LAST_DAY"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, err) == (130, "interrupted\n")
