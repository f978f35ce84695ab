"""Responses conform to the OpenAPI document."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from breakout.settings import Settings
from tests.api.server import ApiServer

PATHS = list(create_app(Settings()).openapi()["paths"])
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
GENERATED = settings(
    max_examples=5,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def description(server: ApiServer) -> Any:
    return schemathesis.openapi.from_url(f"{server.url}/openapi.json")


@pytest.mark.parametrize("path", PATHS)
def test_responses_conform(description: Any, path: str) -> None:
    @GENERATED
    @given(case=description[path]["GET"].as_strategy())
    def check(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)

    check()


def test_examples_conform(api: httpx.Client) -> None:
    document = api.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        assert methods["get"]["description"], path
        if path.startswith("/v1/"):
            content = methods["get"]["responses"]["200"]["content"]["application/json"]
            jsonschema.validate(content["example"], {**document, **content["schema"]})


def test_rows_conform(api: httpx.Client) -> None:
    document = api.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        if path.startswith("/v1/"):
            content = methods["get"]["responses"]["200"]["content"]["application/json"]
            page = api.get(path.format(org="qi", name="Big-300B")).json()
            jsonschema.validate(page, {**document, **content["schema"]})
            assert page["data"] or path in {"/v1/ram", "/v1/scrapes"}, path


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from references(one)


def test_description_is_what_generators_of_clients_need(api: httpx.Client) -> None:
    """openapi-python-client fails at equal models inlined into several responses."""
    document = api.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    known = {f"#/components/schemas/{name}" for name in schemas}
    assert set(references(document)) == known
    assert "$defs" not in json.dumps(document)
    operations = {path: methods["get"] for path, methods in document["paths"].items()}
    assert len({one["operationId"] for one in operations.values()}) == len(operations)
    for path, operation in operations.items():
        assert operation["summary"], path
        assert not operation["summary"].endswith("."), path
        for status, response in operation["responses"].items():
            for media, content in response.get("content", {}).items():
                schema = content["schema"]
                assert "$ref" in schema or schema["type"] == "string", (path, status, media)
                if int(status) >= 400:
                    assert (media, schema["$ref"].rpartition("/")[2]) == (
                        "application/problem+json",
                        "Problem",
                    )
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            # Null cannot be sent in a query; keywords beside a reference are lost.
            assert {"type": "null"} not in schema.get("anyOf", []), (path, parameter["name"])
            assert "$ref" not in schema or len(schema) == 1, (path, parameter["name"])


def test_index_lists_every_operation(api: httpx.Client) -> None:
    document, index = api.get("/openapi.json").json(), api.get("/v1").json()
    listed = {one["path"]: one for one in index["operations"]}
    assert set(listed) == set(document["paths"]) - {"/v1"}
    assert index["version"] == document["info"]["version"]
    downloads = listed["/v1/downloads"]
    assert downloads["formats"] == ["json", "csv", "parquet", "arrow"]
    assert {"by", "interval", "as_of"} <= set(downloads["parameters"])
    assert downloads["summary"].startswith("Downloads by day, week or month")
    assert listed["/badge/ram/{org}/{name}.svg"]["formats"] == ["svg"]
    for link in index["links"].values():
        assert api.get(link).status_code == 200, link


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("/v1/model", "/v1/models"),
        ("/v1/download", "/v1/downloads"),
        ("/v1/ram/curve", "/v1/ram/curves"),
        ("/v1/organizations", "/v1/organisations"),
    ],
)
def test_unknown_path_names_the_nearest(api: httpx.Client, path: str, nearest: str) -> None:
    response = api.get(path)
    assert response.status_code == 404
    assert f"the nearest is {nearest}; /v1 lists" in response.json()["detail"]


def test_path_like_no_other_names_none(api: httpx.Client) -> None:
    assert api.get("/zzz").json()["detail"] == "No such path: /v1 lists those of the API"
    slash = api.get("/v1/models/").json()["detail"]
    assert slash == "No such path: remove the trailing slash, /v1/models"
