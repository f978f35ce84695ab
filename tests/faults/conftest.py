"""One rig for all fault tests: each verifies the tables with the rows of those before it."""

from collections.abc import Iterator

import pytest

from tests.support.brokers import KAFKA_FIRST
from tests.support.rig import LinkedRig, Rig, running_rig


@pytest.fixture(autouse=True)
def repaired(rig: Rig) -> Iterator[None]:
    """Undo all faults, so that a failure does not affect other tests."""
    yield
    rig.repair()


# Session scope: with several processes, other files run between those of this folder.
@pytest.fixture(scope="session", params=KAFKA_FIRST)
def rig(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LinkedRig]:
    with running_rig(tmp_path_factory.mktemp("faults"), request.param) as running:
        yield running
