"""Behaviour common to all operations: formats, problems, pages, ETags."""

import csv
import io
import json
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.breakout.clickhouse.charts import seeds

ACCEPTED = {
    "json": "application/json",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
MODELS = sorted(seeds.MODELS)


def model_ids(response: httpx.Response) -> list[str]:
    media = response.headers["content-type"].partition(";")[0]
    if media == ACCEPTED["json"]:
        return [row["model_id"] for row in response.json()["data"]]
    if media == ACCEPTED["csv"]:
        return [row["model_id"] for row in csv.DictReader(io.StringIO(response.text))]
    if media == ACCEPTED["parquet"]:
        return list(pq.read_table(io.BytesIO(response.content))["model_id"].to_pylist())
    assert media == ACCEPTED["arrow"]
    return list(pa.ipc.open_stream(response.content).read_all()["model_id"].to_pylist())


@pytest.mark.parametrize("name", ACCEPTED)
def test_format_by_parameter_and_by_accept_header(api: httpx.Client, name: str) -> None:
    by_parameter = api.get("/v1/models", params={"format": name})
    by_header = api.get("/v1/models", headers={"Accept": f"{ACCEPTED[name]}, */*;q=0.1"})
    assert model_ids(by_parameter) == model_ids(by_header) == MODELS
    assert by_parameter.headers["content-type"].startswith(ACCEPTED[name])


def test_missing_is_null_in_every_format(api: httpx.Client) -> None:
    asked = {"model": "qi/Big-300B", "until": "2026-01-15"}
    (row,) = api.get("/v1/downloads", params=asked).json()["data"]
    assert row["downloads"] is None
    text = api.get("/v1/downloads", params=asked | {"format": "csv"}).text
    assert text.splitlines()[1] == (
        '"qi/Big-300B","qi/Big-300B",,,,,"2026-01-15",,1083,0,1,1,false,"observed"'
    )
    response = api.get("/v1/downloads", params=asked | {"format": "arrow"})
    table = pa.ipc.open_stream(response.content).read_all()
    assert table["downloads"].to_pylist() == [None]
    assert table.schema.field("period").type == pa.date32()
    assert table.schema.field("cumulative").type == pa.uint64()


def test_unacceptable_format_is_a_problem(api: httpx.Client) -> None:
    response = api.get("/v1/models", headers={"Accept": "image/png"})
    assert response.status_code == 406
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limti": "5"}, "limti"),
        ({"as_of": "yesterday"}, "as_of"),
        ({"released_from": "2026-02-30"}, "released_from"),
        ({"tracked": "perhaps"}, "tracked"),
        ({"format": "xlsx"}, "format"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "W251bGwsIDFd"}, "cursor"),
    ],
)
def test_invalid_parameter_is_named(api: httpx.Client, asked: dict[str, str], wrong: str) -> None:
    response = api.get("/v1/models", params=asked)
    problem: dict[str, Any] = response.json()
    assert response.status_code == problem["status"] == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert [error["parameter"] for error in problem["errors"]] == [wrong]


def test_unknown_path_is_a_problem(api: httpx.Client) -> None:
    response = api.get("/v1/nothing")
    assert response.status_code == response.json()["status"] == 404
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("limit", [1, 2, 9, 10])
def test_pages_contain_every_row_once(api: httpx.Client, limit: int) -> None:
    found: list[str] = []
    asked: dict[str, Any] = {"limit": limit}
    while True:
        response = api.get("/v1/models", params=asked).json()
        found += [row["model_id"] for row in response["data"]]
        if response["next"] is None:
            break
        assert len(response["data"]) == limit
        asked["cursor"] = response["next"]
    assert found == MODELS


def test_matching_etag_is_not_modified(api: httpx.Client) -> None:
    first = api.get("/v1/models")
    known = {"If-None-Match": first.headers["etag"]}
    again = api.get("/v1/models", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert api.get("/v1/models?org=qi", headers=known).status_code == 200
    cited = api.get(first.json()["self"])
    assert cited.headers["etag"] == first.headers["etag"]
    assert cited.json() == first.json()


def test_parameter_values_are_never_sql(api: httpx.Client) -> None:
    for text in ("' OR 1=1 --", "\\", "'); DROP TABLE models_log; --", "\x00", "{org:String}"):
        for name in ("model", "org", "family"):
            response = api.get("/v1/models", params={name: text})
            assert response.status_code == 404, response.text
            assert response.json()["errors"][0]["parameter"] == name
        response = api.get("/v1/models", params={"search": text})
        assert response.status_code == 200, response.text
        assert json.loads(response.text)["data"] == []


@pytest.mark.parametrize("path", ["/v1/models", "/v1/downloads", "/v1/ram/curves"])
@pytest.mark.parametrize("length", [20, 180])
def test_hundred_unknown_models_in_one_request(api: httpx.Client, path: str, length: int) -> None:
    """The client sends long parameters to ClickHouse as a form."""
    unknown = [f"org/{number:0{length - len('org/')}}" for number in range(99)]
    response = api.get(path, params={"model": [*unknown, "qi/Big-300B"]})
    assert response.status_code == 404, response.text
    (error,) = response.json()["errors"]
    assert unknown[0] in error["detail"]
    assert error["detail"].endswith("94 more are unknown.")
    assert "qi/Big-300B" not in error["detail"]
