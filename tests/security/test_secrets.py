"""Secrets reach whom they are for, and nobody else: real processes, and servers that fail."""

import os
import re
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import clickhouse_connect
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from breakout.cli.simulated_hub import simulated_hub
from breakout.client import Breakout, BreakoutError
from breakout.contract.topics import DEAD_LETTERS
from breakout.kafka.offsets import log_ends
from tests.breakout.cli.forked import run_breakout
from tests.breakout.cli.processes import Running, command_line, running
from tests.security.reflecting import Reflecting, reflecting_source
from tests.support.brokers import running_broker
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse
from tests.support.server_process import Broker

CLICKHOUSE = "clickhouse-hush-1f9c"
READER = "reader-hush-77aa"
SECRETS = {
    "HF_TOKEN": "hf_hush0123456789",
    "OPENROUTER_API_KEY": "sk-or-hush-0123",
    "ARTIFICIAL_ANALYSIS_API_KEY": "aa_hush_456789",
    "KAFKA_SASL_PASSWORD": "kafka-hush-24680",
    "BREAKOUT_READER_PASSWORD": READER,
}
# Whose key is which variable.
SOURCES = {
    "huggingface": "HF_TOKEN",
    "openrouter": "OPENROUTER_API_KEY",
    "artificial-analysis": "ARTIFICIAL_ANALYSIS_API_KEY",
}
WORDS = [*SECRETS.values(), CLICKHOUSE, b64encode(f"default:{CLICKHOUSE}".encode()).decode()]


def told(text: str) -> list[str]:
    """Return the places where a text gives a secret away."""
    return [text[max(0, text.index(word) - 100) :][:200] for word in WORDS if word in text]


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    directory = tmp_path_factory.mktemp("clickhouse")
    with running_clickhouse(directory, admin_password=CLICKHOUSE, reader_password=READER) as server:
        yield server


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture(scope="module")
def source() -> Iterator[Reflecting]:
    with reflecting_source() as source:
        yield source


@pytest.fixture(scope="module")
def environment(clickhouse: ClickHouseServer, broker: Broker, source: Reflecting) -> dict[str, str]:
    return {
        **os.environ,
        **SECRETS,
        "CLICKHOUSE_URL": f"http://default:{CLICKHOUSE}@127.0.0.1:{clickhouse.port}/breakout",
        "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
        **dict.fromkeys(
            [
                "HF_ENDPOINT",
                "TRACKED_MODELS_URL",
                "OPENROUTER_BASE_URL",
                "ARENA_BASE_URL",
                "ARTIFICIAL_ANALYSIS_BASE_URL",
                "MODELSCOPE_ENDPOINT",
            ],
            source.address,
        ),
    }


async def test_processes_give_nothing_away(
    environment: dict[str, str],
    clickhouse: ClickHouseServer,
    broker: Broker,
    source: Reflecting,
    tmp_path: Path,
) -> None:
    migrated = run_breakout(["migrate"], environment, 60)
    assert migrated.returncode == 0, migrated.stderr
    shown = migrated.stdout + migrated.stderr
    logs = {name: tmp_path / name for name in ("worker", *SOURCES)}
    async with AsyncExitStack() as stack:
        # Without a list of models the Hub would not be asked.
        hub = await stack.enter_async_context(simulated_hub(60, tmp_path / "hub.log"))
        listed = {"TRACKED_MODELS_URL": hub.addresses["TRACKED_MODELS_URL"]}
        started = {
            name: stack.enter_context(
                running(
                    *(["worker"] if name == "worker" else ["collect", name, "--once"]),
                    environment={**environment, **listed},
                    log=log,
                )
            )
            for name, log in logs.items()
        }
        for one in started.values():
            pids = [one.process.pid, *one.children()]
            shown += "".join(command_line(pid) for pid in pids)
        for name in SOURCES:
            assert started[name].process.wait(150) == 1, started[name].said
        started["worker"].until("serving metrics")
        shown += metrics_of(started["worker"])
        for style in ("table", "json"):
            told_of = run_breakout(["status", "--format", style], environment, 60)
            shown += told_of.stdout + told_of.stderr
        shown += rows_of(clickhouse)
        shown += await dead_letters(broker)
    shown += "".join(log.read_text(errors="replace") for log in logs.values())
    shown += clickhouse.log.read_text() + broker.log.read_text(errors="replace")
    for name in SOURCES.values():
        assert SECRETS[name] in source.sent
    assert "wrong token ***" in shown
    assert told(shown) == []
    # A redirect to elsewhere was followed, and took no secret along.
    assert source.sent_elsewhere
    assert told("".join(source.sent_elsewhere)) == []


def test_a_redirect_takes_no_key_of_the_api_along(source: Reflecting) -> None:
    key = SECRETS["ARTIFICIAL_ANALYSIS_API_KEY"]
    source.sent_elsewhere.clear()
    with Breakout(source.address, key=key, tries=1) as client:
        while not source.sent_elsewhere:
            with pytest.raises(BreakoutError):
                client.models()
    assert key in source.sent
    assert told("".join(source.sent_elsewhere)) == []


@pytest.mark.parametrize("command", ["top", "status", "migrate", "worker", "baseline list"])
@pytest.mark.parametrize("debug", [False, True], ids=["", "debug"])
def test_failures_give_nothing_away(
    environment: dict[str, str], clickhouse: ClickHouseServer, command: str, *, debug: bool
) -> None:
    wrong = f"http://default:x{CLICKHOUSE}@127.0.0.1:{clickhouse.port}/breakout"
    arguments = [*(["--debug"] if debug else []), *command.split()]
    shown = run_breakout(arguments, {**environment, "CLICKHOUSE_URL": wrong}, 60)
    said = shown.stdout + shown.stderr
    assert shown.returncode == 1
    assert "rejected the login of user" in " ".join(said.split())
    assert told(said) == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CLICKHOUSE_URL", f"ftp://default:{CLICKHOUSE}@h/breakout"),
        ("CLICKHOUSE_URL", f"http://default:{CLICKHOUSE}@h:port/breakout"),
        ("CLICKHOUSE_URL", f"http://default:{CLICKHOUSE}@h"),
        ("CLICKHOUSE_URL", f"http://default:{CLICKHOUSE}/@h:8123/breakout"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka-hush-24680"),
        ("HF_ENDPOINT", "hf_hush0123456789"),
        ("HF_TOKEN", "hf_hush0123456789\n"),
        ("OPENROUTER_API_KEY", "sk-or-hush-0123\u00e9\x7f"),
    ],
)
def test_wrong_settings_give_nothing_away(
    environment: dict[str, str], variable: str, value: str
) -> None:
    source = "openrouter" if variable == "OPENROUTER_API_KEY" else "huggingface"
    arguments = ["--debug", "collect", source, "--once"]
    shown = run_breakout(arguments, {**environment, variable: value}, 100)
    assert shown.returncode != 0
    assert told(shown.stdout + shown.stderr) == []


def metrics_of(process: Running) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+/metrics", process.said)
    assert found is not None
    with urllib.request.urlopen(found[0], timeout=10) as answer:
        return str(answer.read().decode())


def rows_of(clickhouse: ClickHouseServer) -> str:
    """Return what parts say of themselves, and what sources did not give."""
    client = clickhouse_connect.get_client(
        host="127.0.0.1", port=clickhouse.port, password=CLICKHOUSE, database="breakout"
    )
    try:
        tables = ("heartbeats", "scrape_missing", "sources_log")
        return "".join(str(client.query(f"SELECT * FROM {name}").result_rows) for name in tables)
    finally:
        client.close()


async def dead_letters(broker: Broker) -> str:
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [
            TopicPartition(DEAD_LETTERS.name, number)
            for number in consumer.partitions_for_topic(DEAD_LETTERS.name) or ()
        ]
        ends = await log_ends(consumer, partitions) if partitions else {}
        read = ""
        for partition, end in ends.items():
            consumer.assign([partition])
            consumer.seek(partition, 0)
            while end and await consumer.position(partition) < end:
                read += str((await consumer.getone()).value)
        return read
    finally:
        await consumer.stop()
