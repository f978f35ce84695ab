"""`breakout up` and `breakout embedded`: real processes, started, restarted and stopped."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from breakout.cli.simulated_hub import simulated_hub
from tests.breakout.cli.forked import run_breakout
from tests.breakout.cli.processes import Running, alive, eventually, running
from tests.security.listening import listeners
from tests.support.brokers import running_broker
from tests.support.embedded_servers import running_clickhouse
from tests.support.server_process import free_port


@pytest.fixture
def ours(tmp_path: Path) -> dict[str, str]:
    """An environment with free ports and a data directory of its own."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("BREAKOUT_")
    }
    return {
        **environment,
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
        "CLICKHOUSE_URL": f"http://127.0.0.1:{free_port()}/breakout",
        "BREAKOUT_DATA_DIR": str(tmp_path / "data"),
        "BREAKOUT_LOG_FORMAT": "json",
        "BREAKOUT_API_PORT": str(free_port()),
        "HF_ENDPOINT": f"http://127.0.0.1:{free_port()}",
        "TRACKED_MODELS_URL": f"http://127.0.0.1:{free_port()}",
    }


def status(environment: dict[str, str]) -> dict[str, dict[str, object]]:
    shown = run_breakout(["status", "--format", "json"], environment, 60)
    return {part["part"]: part for part in json.loads(shown.stdout)["parts"]}


def part_of(command: Running, arguments: str) -> dict[int, str]:
    return {pid: line for pid, line in command.children().items() if line.endswith(arguments)}


def gone(pids: Iterator[int] | dict[int, str]) -> bool:
    return not any(alive(pid) for pid in pids)


def test_embedded_runs_both_servers_until_ctrl_c(ours: dict[str, str], tmp_path: Path) -> None:
    with running("embedded", environment=ours, log=tmp_path / "log") as command:
        command.until("Ctrl-C stops both")
        assert ours["KAFKA_BOOTSTRAP_SERVERS"] in command.said
        assert run_breakout(["migrate"], ours, 60).returncode == 0
        children = command.children()
        assert command.interrupt() == 130
        eventually("the end of all children", lambda: gone(children))
        assert "Traceback" not in command.said


def test_embedded_ends_on_sigterm_too(ours: dict[str, str], tmp_path: Path) -> None:
    with running("embedded", environment=ours, log=tmp_path / "log") as command:
        command.until("Ctrl-C stops both")
        assert command.interrupt(signal.SIGTERM) == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "KAFKA_BOOTSTRAP_SERVERS",
            "kafka.example:9092",
            "the embedded Kafka listens on 127.0.0.1",
        ),
        ("CLICKHOUSE_URL", "http://db.example:8123/b", "the embedded ClickHouse listens on"),
        ("CLICKHOUSE_URL", "https://127.0.0.1:8123/b", "the embedded ClickHouse listens on"),
        ("BREAKOUT_DATA_DIR", "/proc/nothing/here", "set BREAKOUT_DATA_DIR"),
    ],
)
def test_embedded_says_what_it_cannot_do(
    ours: dict[str, str], variable: str, value: str, said: str
) -> None:
    shown = run_breakout(["embedded"], {**ours, variable: value}, 60)
    assert (shown.returncode, shown.stdout) == (1, "")
    assert said in shown.stderr
    assert variable in shown.stderr
    assert len(shown.stderr.splitlines()) == 1


async def test_up_runs_everything_and_stops_it_in_order(
    ours: dict[str, str], tmp_path: Path
) -> None:
    async with simulated_hub(180, tmp_path / "hub.log") as hub:
        environment = {
            **ours,
            **hub.addresses,
            "OPENROUTER_API_KEY": "any",
        }
        with running("up", "--workers", "2", environment=environment, log=tmp_path / "log") as up:
            up.until("breakout status")
            eventually("fresh data", lambda: "data huggingface" in status(environment))
            eventually("all well", lambda: all(part["ok"] for part in status(environment).values()))
            workers = part_of(up, " worker")
            assert len(workers) == 2
            page = f"http://127.0.0.1:{environment['BREAKOUT_API_PORT']}/"
            assert f"page        {page}," in up.said
            assert "<title>Breakout</title>" in (await asyncio.to_thread(httpx.get, page)).text
            # Kafka, ClickHouse, the page, and the metrics of all but the servers.
            found = listeners([up.process.pid, *up.children()])
            assert len(found) == 7
            assert all(one.is_loopback for one in found), found
            # A part that dies is started again.
            killed = next(iter(workers))
            os.kill(killed, signal.SIGKILL)
            up.until("process exited, restarting it")
            eventually("two workers again", lambda: len(part_of(up, " worker")) == 2)
            children = up.children()
            assert up.interrupt() == 130
            eventually("the end of all children", lambda: gone(children))
            assert "Traceback" not in up.said
            assert "killing" not in up.said.rpartition("stopping: collectors")[2]


@pytest.mark.slow
def test_children_die_with_up(ours: dict[str, str], tmp_path: Path) -> None:
    with running("up", environment=ours, log=tmp_path / "log") as up:
        up.until("breakout status")
        eventually("worker", lambda: part_of(up, " worker"))
        children = up.children()
        assert len(children) >= 4
        up.process.kill()
        up.process.wait()
        eventually("the end of all children", lambda: gone(children))


def test_up_uses_servers_that_run_already(ours: dict[str, str], tmp_path: Path) -> None:
    with (
        running_clickhouse(tmp_path / "clickhouse") as clickhouse,
        running_broker(tmp_path / "broker") as broker,
    ):
        environment = {
            **ours,
            "CLICKHOUSE_URL": f"{clickhouse.url}/breakout",
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
        }
        with running("up", environment=environment, log=tmp_path / "log") as up:
            up.until("breakout status")
            eventually("worker", lambda: part_of(up, " worker"))
            assert not part_of(up, "breakout.local.clickhouse.server")
            assert "embedded" not in up.said
            assert up.interrupt() == 130


def test_up_wants_both_servers_or_none(ours: dict[str, str], tmp_path: Path) -> None:
    with running_broker(tmp_path / "broker") as broker:
        shown = run_breakout(["up"], {**ours, "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap}, 60)
    assert (shown.returncode, shown.stdout) == (1, "")
    assert "(KAFKA_BOOTSTRAP_SERVERS) is reachable but" in shown.stderr
    assert "(CLICKHOUSE_URL) is not" in shown.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [("KAFKA_BOOTSTRAP_SERVERS", "kafka.invalid:9092"), ("CLICKHOUSE_URL", "http://db.invalid/b")],
)
def test_up_does_not_embed_what_belongs_elsewhere(
    ours: dict[str, str], variable: str, value: str
) -> None:
    shown = run_breakout(["up"], {**ours, variable: value}, 60)
    assert shown.returncode == 1
    assert variable in shown.stderr
    assert "listens on" in shown.stderr


def test_up_needs_a_port_for_its_page(ours: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", int(ours["BREAKOUT_API_PORT"]))):
        shown = run_breakout(["up"], ours, 60)
    assert shown.returncode == 1
    assert f"cannot serve the web page on 127.0.0.1:{ours['BREAKOUT_API_PORT']}" in shown.stderr
    assert "set BREAKOUT_API_PORT to a free port" in shown.stderr


@pytest.mark.parametrize("workers", ["0", "65", "many"])
def test_a_wrong_number_of_workers_is_wrong_usage(ours: dict[str, str], workers: str) -> None:
    assert run_breakout(["up", "--workers", workers], ours, 60).returncode == 2


def test_more_workers_than_partitions_are_refused(ours: dict[str, str]) -> None:
    shown = run_breakout(["up", "--workers", "3"], {**ours, "BREAKOUT_PARTITIONS": "2"}, 60)
    assert shown.returncode == 1
    assert "BREAKOUT_PARTITIONS (2)" in shown.stderr
