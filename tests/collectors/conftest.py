"""A broker of its own for each test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded_servers import BrokerServer, running_broker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerServer]:
    with running_broker(tmp_path / "broker") as server:
        yield server
