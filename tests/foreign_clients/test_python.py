"""polars, ibis and SQLAlchemy, and what clickhouse-connect does with queries it gives up."""

import json
from typing import Any

import pytest

from tests.foreign_clients import kinds
from tests.foreign_clients.conftest import Place
from tests.foreign_clients.installed import python_client

BIGS = [2**53 + 1, 2**64 - 1]


@pytest.fixture(scope="module")
def said(place: Place) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(
        place.run(python_client(), f"127.0.0.1:{place.server.port}")
    )
    return answer


def test_polars(place: Place, said: dict[str, Any]) -> None:
    texts = ["a", "", "it's"]
    assert said["polars"] == [
        [*BIGS, "huggingface", "low", texts],
        [2**64 - 1, None, "", None, []],
    ]
    assert said["polars types"]["maybe_big"] == "UInt64"
    assert said["polars types"]["texts"] == "List(String)"
    assert said["polars sum"] == sum(range(300_000))
    # Rows by SQLAlchemy are there too
    place.ask("DELETE FROM copied WHERE id > 2")
    assert kinds.differences(place.http, place.database) == ""


def test_ibis(place: Place, said: dict[str, Any]) -> None:
    assert said["ibis nulls"] == 1
    assert said["ibis memtable"] == [{"id": 1, "name": "one", "big": 2**53 + 1}]
    assert said["ibis streamed"] == 300_000
    assert said["ibis error"] == 47
    columns = "* EXCEPT (huge, maybe_low)"
    assert kinds.differences(place.http, place.database, "copied_too", columns) == ""


def test_sqlalchemy(said: dict[str, Any]) -> None:
    assert len(said["sqlalchemy columns"]) == len(said["polars types"])
    assert said["sqlalchemy"] == [[*BIGS, "['a','','it's']"], [2**64 - 1, None, "[]"]]
    assert said["sqlalchemy parameter"] is True
    assert said["sqlalchemy error"] is True
    assert said["sqlalchemy inserted"] == [[7, "it's"], [8, ""]]


def test_queries_that_are_given_up_end(place: Place, said: dict[str, Any]) -> None:
    assert said["connect timeout"] == 159
    assert said["connect killed"] == 394
    assert said["connect gives up"] == "OperationalError"
    assert said["connect left after rows"] is True
    place.wait_until_nothing_runs()
