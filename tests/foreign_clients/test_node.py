"""ClickHouse's client for Node.js."""

import json
from typing import Any

import pytest

from tests.foreign_clients import kinds
from tests.foreign_clients.conftest import Place
from tests.foreign_clients.installed import node_client


@pytest.fixture(scope="module")
def said(place: Place) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(place.run(node_client(), place.server.url))
    return answer


def test_connects(said: dict[str, Any]) -> None:
    assert said["ping"] is True


def test_all_types_are_read_and_written(place: Place, said: dict[str, Any]) -> None:
    assert (said["copied"], said["copied zipped"]) == (2, 2)
    assert place.ask("SELECT count() FROM copied") == "4\n"
    assert kinds.differences(place.http, place.database) == ""


def test_values(said: dict[str, Any]) -> None:
    first, second = said["types"]
    assert first == {
        "id": "1",
        "big": str(2**53 + 1),
        "huge": str(2**128 - 1),
        "maybe_big": str(2**64 - 1),
        "moment": "2026-11-23 12:00:00.123",
        "low": "huggingface",
        "maybe_low": "low",
        "texts": ["a", "", "it's"],
        "pairs": {"a": str(2**64 - 1), "b": "0"},
    }
    assert (second["maybe_big"], second["maybe_low"], second["texts"]) == (None, None, [])


def test_parameters_and_query_id(said: dict[str, Any]) -> None:
    row = {"big": str(2**64 - 1), "text": "it's \\ a\ttab", "texts": ["a", "it's"]}
    assert said["parameters"] == [row | {"id": "node's id"}]


def test_errors_carry_their_code(said: dict[str, Any]) -> None:
    assert (said["error"], said["late error"]) == ("47", True)


def test_large_result(said: dict[str, Any]) -> None:
    assert said["streamed"] == [300_000, sum(range(300_000))]


def test_cancelling_and_leaving_end_the_query(place: Place, said: dict[str, Any]) -> None:
    assert (said["left after rows"], said["aborted"]) == (True, True)
    assert (said["killed"], said["max_execution_time"]) == ("394", "159")
    place.wait_until_nothing_runs()
