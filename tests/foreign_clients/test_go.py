"""clickhouse-go over HTTP, as Grafana's plugin uses it."""

import json
from typing import Any

import pytest

from tests.foreign_clients import kinds
from tests.foreign_clients.conftest import Place
from tests.foreign_clients.installed import go_client


@pytest.fixture(scope="module")
def said(place: Place) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(place.run(go_client(), f"127.0.0.1:{place.server.port}"))
    return answer


def test_connects(said: dict[str, Any]) -> None:
    assert said["server"] == "breakout embedded"


def test_all_types_are_read_and_written(place: Place, said: dict[str, Any]) -> None:
    assert {said[f"copied{how}"] for how in ("", " lz4", " zstd", " gzip")} == {2}
    assert place.ask("SELECT count() FROM copied") == "8\n"
    assert kinds.differences(place.http, place.database) == ""


def test_parameters_and_query_id(said: dict[str, Any]) -> None:
    assert said["parameters"] == [str(2**64 - 1), "it's", "go's id"]
    assert said["bound"] == [str(2**64 - 1), "it's \\ a\ttab"]


def test_errors_carry_their_code(said: dict[str, Any]) -> None:
    assert (said["error"], said["late error"]) == (47, 395)


def test_external_table(said: dict[str, Any]) -> None:
    assert said["external table"] == 1


def test_large_result(said: dict[str, Any]) -> None:
    assert said["streamed"] == [1_000_000, sum(range(1_000_000))]


def test_timeouts_and_leaving_end_the_query(place: Place, said: dict[str, Any]) -> None:
    assert (said["left after a row"], said["timed out"]) == (True, True)
    assert said["max_execution_time"] == 159
    place.wait_until_nothing_runs()


def test_connects_as_grafana_s_plugin(said: dict[str, Any]) -> None:
    assert said["grafana"] == ["1970-01-01T00:00:00Z", False]
    assert said["grafana writes"] == 164
