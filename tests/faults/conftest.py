"""One rig for all fault tests: what one left in the tables, the next is judged with."""

from collections.abc import Iterator

import pytest

from tests.support.brokers import KAFKA_FIRST
from tests.support.rig import LinkedRig, Rig, running_rig


@pytest.fixture(autouse=True)
def mended(rig: Rig) -> Iterator[None]:
    """Leave nothing broken behind, so that a failure stays with its test."""
    yield
    rig.repair()


# Of the session, since other files come between those of this folder when several processes run.
@pytest.fixture(scope="session", params=KAFKA_FIRST)
def rig(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LinkedRig]:
    with running_rig(tmp_path_factory.mktemp("faults"), request.param) as running:
        yield running
