"""TLS and logins to Kafka, on real Apache Kafka: what works, and what is said when it does not."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from breakout.contract.topics import DOWNLOADS, RUNS
from breakout.kafka.connection import kafka_connection
from breakout.kafka.topics import ensure_topics
from breakout.settings import Settings, SettingsError, read_settings
from tests.breakout.cli.forked import run_breakout
from tests.security.authority import Authority
from tests.support.brokers import requires_kafka
from tests.support.embedded_servers import running_clickhouse
from tests.support.events import observed
from tests.support.kafka.broker import CLUSTER_ID, KafkaBroker
from tests.support.kafka.installed import installed
from tests.support.pipeline import Pipeline, Worker
from tests.support.server_process import free_port

pytestmark = requires_kafka

USER = "breakout"
PASSWORD = "pass=word with'signs"
WRONG = "a-wrong-password"
PLAIN_MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule"
SCRAM_MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule"
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass(frozen=True)
class Secured:
    """A broker with a port for each protocol, and who vouches for its certificate."""

    broker: KafkaBroker
    ports: dict[str, int]
    authority: Authority
    directory: Path

    def variables(self, protocol: str, mechanism: str = "SCRAM-SHA-512") -> dict[str, str]:
        """Return what makes a client of ours connect."""
        chosen = {
            "KAFKA_BOOTSTRAP_SERVERS": f"localhost:{self.ports[protocol]}",
            "KAFKA_SECURITY_PROTOCOL": protocol,
        }
        if protocol.endswith("SSL"):
            chosen["KAFKA_SSL_CA_FILE"] = str(self.authority.file)
        if protocol.startswith("SASL"):
            chosen |= {
                "KAFKA_SASL_MECHANISM": mechanism,
                "KAFKA_SASL_USERNAME": USER,
                "KAFKA_SASL_PASSWORD": PASSWORD,
            }
        return chosen

    def settings(self, protocol: str, mechanism: str = "SCRAM-SHA-512", **more: Any) -> Settings:
        """Return the same as settings; `more` are further variables."""
        return read_settings(**{**self.variables(protocol, mechanism), **more})


@contextmanager
def secured_kafka(directory: Path) -> Iterator[Secured]:
    ports = {name: free_port() for name in ("SSL", "SASL_SSL", "SASL_PLAINTEXT")}
    authority = Authority(directory, "ours")
    keystore = authority.keystore(directory / "server.pem", "localhost")
    port, controller = free_port(), free_port()
    listeners = {"PLAINTEXT": port, **ports}
    logins = {
        f"listener.name.{name}.{mechanism.lower()}.sasl.jaas.config": (
            f'{PLAIN_MODULE} required user_{USER}="{PASSWORD}";'
            if mechanism == "PLAIN"
            else f"{SCRAM_MODULE} required;"
        )
        for name in ("sasl_ssl", "sasl_plaintext")
        for mechanism in MECHANISMS
    }
    broker = KafkaBroker(
        directory / "kafka",
        port,
        controllers={1: controller},
        properties={
            "listeners": ",".join(
                f"{name}://127.0.0.1:{one}"
                for name, one in {**listeners, "CONTROLLER": controller}.items()
            ),
            # A certificate is for a name.
            "advertised.listeners": ",".join(
                f"{name}://localhost:{one}" for name, one in listeners.items()
            ),
            "listener.security.protocol.map": ",".join(
                [f"{name}:{name}" for name in listeners] + ["CONTROLLER:PLAINTEXT"]
            ),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(keystore),
            "sasl.enabled.mechanisms": ",".join(MECHANISMS),
            **logins,
        },
    )
    _let_in(broker)
    broker.start()
    try:
        yield Secured(broker, ports, authority, directory)
    finally:
        broker.close()


def _let_in(broker: KafkaBroker) -> None:
    """Format the broker's log anew with the user's SCRAM logins, by Kafka's own tool."""
    kafka = installed()
    shutil.rmtree(broker.directory / "log")
    command = [kafka.java, "-XX:TieredStopAtLevel=1", "-cp", f"{kafka.jars}/*"]
    command += ["kafka.tools.StorageTool", "format", "--cluster-id", CLUSTER_ID]
    command += ["--config", str(broker.directory / "server.properties")]
    for mechanism in MECHANISMS[1:]:
        login = f'{mechanism}=[name="{USER}",password="{PASSWORD}"]'
        command += ["--add-scram", login]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert told.returncode == 0, (told.stdout + told.stderr)[-500:]


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured_kafka(tmp_path_factory.mktemp("secured")) as kafka:
        yield kafka


WAYS = [
    ("SSL", ""),
    ("SASL_SSL", "PLAIN"),
    ("SASL_SSL", "SCRAM-SHA-256"),
    ("SASL_SSL", "SCRAM-SHA-512"),
    ("SASL_PLAINTEXT", "SCRAM-SHA-512"),
]


@pytest.mark.parametrize(("protocol", "mechanism"), WAYS)
async def test_records_go_both_ways(kafka: Secured, protocol: str, mechanism: str) -> None:
    settings = kafka.settings(protocol, mechanism or "PLAIN")
    await ensure_topics(settings)
    sent = f"{protocol} {mechanism}".encode()
    connection: dict[str, Any] = kafka_connection(settings)
    async with AIOKafkaProducer(**connection, enable_idempotence=True) as producer:
        told = await producer.send_and_wait(RUNS.name, sent, b"key", partition=0)
    async with AIOKafkaConsumer(**connection) as consumer:
        partition = TopicPartition(RUNS.name, 0)
        consumer.assign([partition])
        consumer.seek(partition, told.offset)
        assert (await consumer.getone()).value == sent


@pytest.mark.parametrize(
    ("protocol", "mechanism"),
    [
        ("SASL_SSL", "SCRAM-SHA-512"),
        pytest.param("SASL_SSL", "PLAIN", marks=pytest.mark.slow),
        pytest.param("SSL", "PLAIN", marks=pytest.mark.slow),
    ],
)
def test_a_worker_reads_and_acknowledges(
    kafka: Secured, tmp_path: Path, protocol: str, mechanism: str
) -> None:
    """Faust has clients of its own."""
    with running_clickhouse(tmp_path / "clickhouse") as clickhouse:
        pipeline = Pipeline(tmp_path, kafka.broker.bootstrap, clickhouse)
        pipeline.group = f"{protocol}-{mechanism}"
        pipeline.publish([observed(["org/a"], 1.0, [10])])
        environment = {**pipeline.environment, **kafka.variables(protocol, mechanism)}
        worker = Worker(environment, tmp_path / "worker.log")
        pipeline.workers.append(worker)
        try:
            pipeline.wait_caught_up(150)
        finally:
            pipeline.close()
            worker.process.wait()
        assert pipeline.rows("SELECT model_id, cumulative FROM downloads") == [
            {"model_id": "org/a", "cumulative": 10}
        ]
        assert PASSWORD not in worker.log.read_text()


@pytest.mark.parametrize(
    ("protocol", "mechanism", "wrong", "named"),
    [
        ("SASL_SSL", "PLAIN", {"KAFKA_SASL_PASSWORD": WRONG}, "KAFKA_SASL_PASSWORD"),
        ("SASL_SSL", "SCRAM-SHA-512", {"KAFKA_SASL_PASSWORD": WRONG}, "KAFKA_SASL_PASSWORD"),
        ("SASL_SSL", "SCRAM-SHA-512", {"KAFKA_SASL_USERNAME": "x"}, "KAFKA_SASL_USERNAME"),
        ("SASL_PLAINTEXT", "PLAIN", {"KAFKA_SASL_PASSWORD": WRONG}, "KAFKA_SASL_PASSWORD"),
    ],
)
async def test_a_wrong_login_is_named(
    kafka: Secured, protocol: str, mechanism: str, wrong: dict[str, str], named: str
) -> None:
    with pytest.raises(SettingsError, match=rf"{named}.*") as error:
        await ensure_topics(kafka.settings(protocol, mechanism, **wrong))
    assert "rejected the login of user" in str(error.value)
    assert WRONG not in str(error.value)


async def test_a_certificate_nobody_vouches_for_is_named(kafka: Secured, tmp_path: Path) -> None:
    another = Authority(tmp_path, "another")
    for protocol in ("SSL", "SASL_SSL"):
        for wrong in ({"KAFKA_SSL_CA_FILE": another.file}, {"KAFKA_SSL_CA_FILE": None}):
            with pytest.raises(SettingsError, match=r"KAFKA_SSL_CA_FILE: .* is not trusted \(.*"):
                await ensure_topics(kafka.settings(protocol, **wrong))
    by_number = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{kafka.ports['SSL']}"}
    with pytest.raises(SettingsError, match="use a host name that the certificate"):
        await ensure_topics(kafka.settings("SSL", **by_number))


async def test_a_port_that_does_not_speak_tls_is_named(kafka: Secured) -> None:
    """It is given up in time: a broker that is being started may do the same."""
    wrong = {"KAFKA_BOOTSTRAP_SERVERS": f"localhost:{kafka.broker.port}"}
    with pytest.raises(Exception, match="KAFKA_") as error:
        await ensure_topics(kafka.settings("SSL", **wrong), give_up_after=1.0)
    assert "Traceback" not in str(error.value)


def test_processes_end_and_say_why(kafka: Secured, tmp_path: Path) -> None:
    with running_clickhouse(tmp_path / "clickhouse") as clickhouse:
        environment = {
            **os.environ,
            **kafka.variables("SASL_SSL"),
            "KAFKA_SASL_PASSWORD": WRONG,
            "CLICKHOUSE_URL": f"{clickhouse.url}/default",
        }
        shown = [
            run_breakout(["worker"], environment, 60),
            run_breakout(["collect", "registry", "--once"], environment, 60),
            run_breakout(["status"], environment, 60),
        ]
    for one in shown:
        said = " ".join((one.stdout + one.stderr).split())
        assert one.returncode == 1
        assert "KAFKA_SASL_PASSWORD" in said
        assert "rejected the login of user" in said
        assert "Traceback" not in said
        assert WRONG not in said


def test_topics_are_made_by_one_of_the_ways(kafka: Secured) -> None:
    there = asyncio.run(ensure_topics(kafka.settings("SSL")))
    assert there[DOWNLOADS.name] == read_settings().partitions
