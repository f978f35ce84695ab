"""The command `breakout collect`, as a process of its own."""

import asyncio
import json
import os
import re
import signal
import sys
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from breakout.contract.events import DownloadsSlice, ModelRecord
from breakout.contract.topics import DOWNLOADS, MODELS
from breakout.simulation import Catalog, Limits, Model, SimulatedClock
from collectors.cli import collect
from tests.collectors.quick import until
from tests.collectors.records import read_events
from tests.support.faulty_hub.faults import ErrorStatus, Stalled, WrongValues
from tests.support.faulty_hub.hub import FaultyHub
from tests.support.server_process import Broker, free_port

NOW = datetime(2026, 8, 22, 11, tzinfo=UTC)
TOKEN = "hf_a_secret_nobody_may_see"
COMMAND = (
    "import sys, collectors.cli as cli; cli._KAFKA_SECONDS = {}\n"
    "from breakout.cli.main import main; sys.argv[:1] = ['breakout', 'collect']; main()"
)


@pytest.fixture
def broker(each_broker: Broker) -> Broker:
    """Both kinds of broker must do."""
    return each_broker


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@pytest.fixture
async def hub() -> AsyncIterator[FaultyHub]:
    catalog = Catalog.of(["acorn/tiny-1B", "acorn/tiny-2B", Model("acorn/new", tracked_in=None)])
    clock = SimulatedClock(NOW)
    async with FaultyHub(catalog, clock=clock, tokens={TOKEN: Limits()}) as running:
        yield running


async def start(
    hub: FaultyHub, bootstrap: str, *arguments: str, kafka_seconds: float = 20, **env: str
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        COMMAND.format(kafka_seconds),
        *arguments,
        env={
            "PATH": os.environ["PATH"],
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "HF_ENDPOINT": hub.url,
            "TRACKED_MODELS_URL": hub.tracked_models_url,
            "CLICKHOUSE_URL": f"http://127.0.0.1:{free_port()}/breakout",
            **env,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process) -> Ended:
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def test_registry_then_huggingface(broker: Broker, hub: FaultyHub) -> None:
    registry = await ended(await start(hub, broker.bootstrap, "registry", "--once"))
    assert registry.code == 0, registry.err
    assert re.fullmatch(
        r"registry as of \S+Z: 2 tracked models and 1 other models in 3 records; complete\n",
        registry.out,
    )
    records = await read_events(broker.bootstrap, MODELS, ModelRecord)
    assert sorted((record.model_id, record.tracked) for record in records) == [
        ("acorn/new", False),
        ("acorn/tiny-1B", True),
        ("acorn/tiny-2B", True),
    ]
    moment = ["--observed-at", "2026-08-22T13:00:00.123456+02:00"]
    scrape = await ended(
        await start(hub, broker.bootstrap, "huggingface", "--once", *moment, HF_TOKEN=TOKEN)
    )
    assert scrape.code == 0, scrape.err
    assert scrape.out.startswith(
        "huggingface as of 2026-08-22T11:00:00Z: 2 tracked models and 1 other"
    )
    pieces = await read_events(broker.bootstrap, DOWNLOADS, DownloadsSlice)
    assert {piece.observed_at for piece in pieces} == {NOW + timedelta(milliseconds=123)}
    assert sum(len(piece.models) for piece in pieces) == 3
    events = [json.loads(line) for line in scrape.err.splitlines() if line.startswith("{")]
    assert events[-1]["event"] == "published"
    assert TOKEN not in registry.out + registry.err + scrape.out + scrape.err
    sent = hub.requests[-1].headers["authorization"]
    assert sent == f"Bearer {TOKEN}"


async def test_partial_run_exits_3_and_logs_missing(broker: Broker, hub: FaultyHub) -> None:
    hub.faults.add(WrongValues(values={"likes": -1}, models=["acorn/tiny-2B"]))
    run = await ended(await start(hub, broker.bootstrap, "huggingface", "--once"))
    assert run.code == 3
    assert "1 missing (1 rows in breakout.dlq)" in run.out
    missing = [line for line in run.err.splitlines() if '"event": "missing"' in line]
    assert "acorn/tiny-2B" in missing[0]
    assert "invalid row: likes" in missing[0]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (ErrorStatus(status=401), "Error: .*/api/models: HTTP 401 Unauthorized: check HF_TOKEN"),
        (ErrorStatus(match="/lists/", status=404), r"Error: .*/lists/models\.csv: HTTP 404"),
    ],
    ids=["token", "list"],
)
async def test_failed_run_exits_1_with_reason(
    broker: Broker, hub: FaultyHub, fault: ErrorStatus, message: str
) -> None:
    hub.faults.add(fault)
    run = await ended(await start(hub, broker.bootstrap, "huggingface", "--once"))
    assert run.code == 1
    assert run.out == ""
    assert re.search(message, run.err.splitlines()[-1])
    assert "Traceback" not in run.err


async def test_unavailable_broker_exits_1_and_names_setting(hub: FaultyHub) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    run = await ended(await start(hub, nobody, "huggingface", "--once", kafka_seconds=1))
    assert run.code == 1
    assert re.search(
        rf"Error: Kafka at {nobody} .*check KAFKA_BOOTSTRAP_SERVERS", run.err.splitlines()[-1]
    )


async def test_invalid_setting_is_named(hub: FaultyHub) -> None:
    run = await ended(await start(hub, "127.0.0.1:9", "registry", "--once", HF_ENDPOINT="hub"))
    assert run.code == 1
    assert "HF_ENDPOINT: must be an http:// or https:// URL" in run.err
    assert "Traceback" not in run.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_signal_ends_run(
    broker: Broker, hub: FaultyHub, number: signal.Signals, code: int
) -> None:
    hub.faults.add(Stalled())
    process = await start(hub, broker.bootstrap, "huggingface", "--once")
    await until(lambda: any(request.path == "/api/models" for request in hub.requests), 60)
    process.send_signal(number)
    run = await ended(process)
    assert run.code == code
    assert "Traceback" not in run.err
    assert run.err.count("breakout: interrupted") == (number == signal.SIGINT)


async def test_collector_runs_until_stopped(broker: Broker, hub: FaultyHub) -> None:
    process = await start(
        hub, broker.bootstrap, "huggingface", BREAKOUT_SCRAPE_SECONDS="1", BREAKOUT_METRICS_PORT="0"
    )
    lines: list[str] = []

    async def read() -> None:
        assert process.stderr is not None
        while line := await process.stderr.readline():
            lines.append(line.decode())

    reader = asyncio.create_task(read())
    await until(lambda: sum('"published"' in line for line in lines) >= 2, 90)
    [address] = [json.loads(line)["address"] for line in lines if "serving metrics" in line]

    def scraped() -> str:
        with urllib.request.urlopen(address) as answer:
            return str(answer.read().decode())

    metrics = await asyncio.to_thread(scraped)
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), 60) == 130
    await reader
    count = re.search(
        r'breakout_scrapes_total\{result="complete",source="huggingface"\} ([0-9.]+)', metrics
    )
    assert count is not None
    assert float(count[1]) >= 2
    assert 'breakout_source_requests_total{outcome="ok",source="huggingface"}' in metrics
    pieces = await read_events(broker.bootstrap, DOWNLOADS, DownloadsSlice)
    assert len({piece.scrape_id for piece in pieces}) >= 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["github"], "'github' is not one of 'registry', 'huggingface', 'openrouter',"),
        ([], "Missing argument"),
        (["registry", "--observed-at", "2026-08-22T11:00:00Z"], "--observed-at needs --once"),
        (["registry", "--once", "--observed-at", "2026-08-22T11:00:00"], "must have a time zone"),
        (["registry", "--once", "--observed-at", "noon"], "must be a time such as 2026-08-22T"),
        (["registry", "--once", "--observed-at", "2999-01-01T00:00:00Z"], "not be in the future"),
        (
            ["registry", "--once", "--observed-at", "1969-12-31T23:59:59Z"],
            "must not be before 1970",
        ),
        (
            ["registry", "--once", "--observed-at", "1970-01-01T00:00+02:00"],
            "must not be before 1970",
        ),
        (
            ["registry", "--once", "--observed-at", "0001-01-01T00:00+14:00"],
            "must not be before 1970",
        ),
    ],
)
def test_invalid_usage_is_explained(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(collect, arguments)
    assert result.exit_code == 2
    assert message in result.output
