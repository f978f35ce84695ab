"""Fixtures with a broker without topics for each test."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.brokers import BROKERS, KAFKA_FIRST, broker_of, running_broker
from tests.support.kafka.broker import KafkaBroker
from tests.support.kafka.emptied import emptied
from tests.support.server_process import Broker, free_port, running


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    with running(KafkaBroker(tmp_path_factory.mktemp("kafka"), free_port())) as server:
        yield server


@pytest.fixture(params=KAFKA_FIRST)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    with _without_topics(request, tmp_path) as server:
        yield server


@pytest.fixture(params=BROKERS)
def each_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """A broker of each kind."""
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
    """A broker that is not started."""
    server = broker_of(request.param, tmp_path / "stopped")
    yield server
    server.close()
