"""The brokers that the behaviour suite runs on: the embedded one, and real Apache Kafka.

A fixture that starts a broker takes `params=BROKERS` and hands `request.param` to
`running_broker_of`; each of its tests then runs on both. Without Java or Maven those on Apache
Kafka skip, and the summary says why.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.embedded_servers import EmbeddedBroker
from tests.support.kafka.broker import KafkaBroker
from tests.support.kafka.installed import why_not
from tests.support.server_process import Broker, free_port

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
"""For suites of minutes: where Apache Kafka runs, they run on it, and on the embedded broker with
the slow tests."""


def broker_of(kind: str, directory: Path) -> Broker:
    """A broker of one of the kinds in `BROKERS`, not started."""
    return (KafkaBroker if kind == "kafka" else EmbeddedBroker)(directory, free_port())


@contextmanager
def running_broker_of(kind: str, directory: Path) -> Iterator[Broker]:
    """A broker of one of the kinds in `BROKERS`."""
    broker = broker_of(kind, directory)
    broker.start()
    try:
        yield broker
    finally:
        broker.close()
