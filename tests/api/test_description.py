"""Responses conform to the OpenAPI document."""

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
