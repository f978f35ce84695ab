"""The simulated Hub as a process of its own."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "breakout.simulation", "--end", "2026-06-30", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        yield running
        running.kill()


def test_it_prints_its_addresses_serves_and_stops(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    told: dict[str, str] = {}
    while "LAST_DAY" not in told:
        name, _, value = process.stdout.readline().strip().partition("=")
        assert name, "it ended before it had told its last day"
        told[name] = value
    assert (told["FIRST_DAY"], told["LAST_DAY"]) == ("2024-06-30", "2026-06-30")
    clock = httpx.get(f"{told['HF_ENDPOINT']}/simulation/clock").json()
    assert clock == {"now": "2026-06-30T00:00:00+00:00", "speed": 0.0}
    tracked = httpx.get(f"{told['TRACKED_MODELS_URL']}/models.csv").text.splitlines()
    model_id = tracked[-1].split(",")[2]
    info = httpx.get(f"{told['HF_ENDPOINT']}/api/models/{model_id}?expand[]=downloadsAllTime")
    assert info.json()["downloadsAllTime"] > 0
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--end", "tomorrow"], "--end"),
        (["--days", "3"], "180"),
        (["--speed", "-1"], "--speed"),
        (["--season", "--days", "200"], "--days is for invented models"),
        (["--names-file", "names.csv", "--season"], "--names-file is for invented models"),
    ],
)
def test_a_wrong_option_is_named(arguments: list[str], says: str) -> None:
    command = [sys.executable, "-m", "breakout.simulation", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
