"""Apache Kafka in KRaft mode as server processes on 127.0.0.1."""

from __future__ import annotations

import functools
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.kafka.installed import exclusive, installed
from tests.support.server_process import Broker, free_port

CLUSTER_ID = "breakoutbreakoutbreak0"
_QUICK = ["-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]


class KafkaBroker(Broker):
    """One node, broker and controller; its log survives `kill` and `stop`."""

    name = "Apache Kafka"

    def __init__(
        self,
        directory: Path,
        port: int,
        *,
        node: int = 1,
        controllers: Mapping[int, int] | None = None,
        properties: Mapping[str, str] | None = None,
        java_options: Sequence[str] = (),
    ) -> None:
        """`controllers` has the controller port of each node; `properties` override defaults."""
        super().__init__(directory, port, "kafka.log")
        self.node = node
        self.directory = directory
        self._java_options = java_options
        controllers = controllers or {node: free_port()}
        self._properties = {**self._defaults(controllers), **(properties or {})}
        self._format()

    def _defaults(self, controllers: Mapping[int, int]) -> dict[str, str]:
        copies = str(min(len(controllers), 3))
        return {
            "node.id": str(self.node),
            "process.roles": "broker,controller",
            "listeners": f"PLAINTEXT://{self.bootstrap},"
            f"CONTROLLER://127.0.0.1:{controllers[self.node]}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.voters": ",".join(
                f"{node}@127.0.0.1:{port}" for node, port in controllers.items()
            ),
            "log.dirs": str(self.directory / "log"),
            "offsets.topic.replication.factor": copies,
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": "1",
            # As in docker-compose.yml.
            "auto.create.topics.enable": "false",
            "message.max.bytes": "16000000",
            "group.initial.rebalance.delay.ms": "0",
            # Detect a dead node within seconds: its partitions get new leaders.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
            "controlled.shutdown.enable": "false",
        }

    def _format(self) -> None:
        log = self.directory / "log"
        log.mkdir(exist_ok=True)
        (log / "meta.properties").write_text(
            f"version=1\ncluster.id={CLUSTER_ID}\nnode.id={self.node}\n"
        )
        lines = [f"{name}={value}\n" for name, value in self._properties.items()]
        (self.directory / "server.properties").write_text("".join(lines))

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        kafka = installed()
        options = self._java_options or [f"-XX:SharedArchiveFile={_archive()}"]
        return subprocess.Popen(
            [
                kafka.java,
                *_QUICK,
                *options,
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-Dorg.slf4j.simpleLogger.showDateTime=true",
                "-cp",
                f"{kafka.jars}/*",
                "kafka.Kafka",
                str(self.directory / "server.properties"),
            ],
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


@functools.cache
def _archive() -> Path:
    """Return the archive of loaded classes, written once per checkout by a broker."""
    archive = installed().archive
    with exclusive():
        if not archive.exists():
            made = archive.with_suffix(".new")
            with tempfile.TemporaryDirectory() as folder:
                options = [f"-XX:ArchiveClassesAtExit={made}"]
                broker = KafkaBroker(Path(folder), free_port(), java_options=options)
                broker.start()
                broker.stop()
            made.rename(archive)
    return archive
