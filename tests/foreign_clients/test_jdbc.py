"""ClickHouse's JDBC driver."""

import pytest

from tests.foreign_clients import kinds
from tests.foreign_clients.conftest import Place
from tests.foreign_clients.installed import jdbc_client


@pytest.fixture(scope="module")
def said(place: Place) -> dict[str, str]:
    lines = place.run(jdbc_client(), f"127.0.0.1:{place.server.port}").splitlines()
    return dict(line.split(": ", 1) for line in lines)


def test_connects(said: dict[str, str]) -> None:
    assert said["valid"] == "true"


def test_all_types_are_read_and_written(place: Place, said: dict[str, str]) -> None:
    assert said["copied"] == "2"
    assert place.ask("SELECT count() FROM copied") == "2\n"
    assert kinds.differences(place.http, place.database) == ""


def test_parameters(said: dict[str, str]) -> None:
    assert said["parameters"] == f"{2**64 - 1} it's \\ a\ttab true"


def test_errors_carry_their_code(said: dict[str, str]) -> None:
    assert (said["error"], said["max_execution_time"]) == ("47", "159")


def test_large_result(said: dict[str, str]) -> None:
    assert said["streamed"] == f"300000 {sum(range(300_000))}"


def test_cancelling_leaving_and_timeouts_end_the_query(place: Place, said: dict[str, str]) -> None:
    assert said["left after a row"] == "true"
    assert said["cancelled"] == "394"
    assert said["timed out"] == "true"
    place.wait_until_nothing_runs()
