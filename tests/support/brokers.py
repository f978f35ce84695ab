"""The brokers that tests run on: the embedded one, and Apache Kafka.

    with running_broker(tmp_path) as broker:
        AIOKafkaProducer(bootstrap_servers=broker.bootstrap)

A fixture with `params=BROKERS` passes `request.param` as the kind; its tests run on both. Without
Java or Maven the tests on Apache Kafka are skipped, and the summary reports why.
"""

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.support.embedded_servers import EmbeddedBroker
from tests.support.kafka.broker import KafkaBroker
from tests.support.kafka.installed import why_not
from tests.support.server_process import Broker, free_port, running

_MISSING = why_not()
requires_kafka = pytest.mark.skipif(
    _MISSING is not None, reason=f"NOT RUN on Apache Kafka: {_MISSING}"
)

BROKERS = (
    pytest.param("embedded", id="embedded"),
    pytest.param("kafka", id="kafka", marks=requires_kafka),
)

KAFKA_FIRST = (
    pytest.param("embedded", id="embedded", marks=[pytest.mark.slow] if _MISSING is None else []),
    pytest.param("kafka", id="kafka", marks=requires_kafka),
)
"""For long tests: on Apache Kafka where it can run, on the embedded broker as slow tests."""


def broker_of(kind: str, directory: Path) -> Broker:
    """Return a broker of a kind in `BROKERS`, not started."""
    return (KafkaBroker if kind == "kafka" else EmbeddedBroker)(directory, free_port())


def running_broker(directory: Path, kind: str = "embedded") -> AbstractContextManager[Broker]:
    """Run a broker of a kind in `BROKERS`, its files in `directory`."""
    return running(broker_of(kind, directory))
