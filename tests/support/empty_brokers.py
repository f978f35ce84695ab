"""A broker without topics for each test that asks for one.

Tests of how sources are read run as `KAFKA_FIRST` says; tests of how we get on with a broker, on
both kinds.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.brokers import BROKERS, KAFKA_FIRST, broker_of
from tests.support.embedded_servers import running_broker
from tests.support.kafka.broker import KafkaBroker, running_kafka
from tests.support.kafka.emptied import emptied
from tests.support.server_process import Broker


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    with running_kafka(tmp_path_factory.mktemp("kafka")) as server:
        yield server


@pytest.fixture(params=KAFKA_FIRST)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    with _without_topics(request, tmp_path) as server:
        yield server


@pytest.fixture(params=BROKERS)
def each_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """One kind, then the other."""
    with _without_topics(request, tmp_path) as server:
        yield server


@contextmanager
def _without_topics(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    if request.param == "kafka":
        with emptied(request.getfixturevalue("kafka")) as server:
            yield server
    else:
        with running_broker(tmp_path / "broker") as server:
            yield server


@pytest.fixture(params=BROKERS)
def stopped_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """A broker that is not started yet."""
    server = broker_of(request.param, tmp_path / "stopped")
    yield server
    server.close()
