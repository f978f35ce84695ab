"""The OpenAPI description: FastAPI's, completed for people and for generators of clients."""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from api.problems import REFERENCE, Problem

JSON = "application/json"


def complete(
    description: dict[str, Any], prefix: str, routes: Iterable[APIRoute]
) -> dict[str, Any]:
    """Complete a description, and return it. `routes`, under a prefix, have examples."""
    _, problem = models_json_schema([(Problem, "serialization")], ref_template=REFERENCE)
    description["components"]["schemas"].update(problem["$defs"])
    for operation in _operations(description):
        operation["summary"] = _summary(operation["description"])
        for parameter in operation.get("parameters", []):
            parameter["schema"] = _without_null(parameter["schema"])
    for route in routes:
        # FastAPI drops the null values of examples.
        content = description["paths"][prefix + route.path]["get"]["responses"]["200"]["content"]
        content[JSON]["example"] = route.responses[200]["content"][JSON]["example"]
    return description


def _operations(description: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in description["paths"].values():
        yield from methods.values()


def _summary(text: str) -> str:
    """Return the first sentence of a description, without its full stop."""
    first = " ".join(text.partition("\n\n")[0].split())
    return first.partition(". ")[0].removesuffix(".")


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a query parameter: who omits it leaves it out, and never sends null."""
    types = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    if len(types) != 1:
        return {**schema, "anyOf": types} if types else schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    (only,) = types
    # Beside a reference, other keywords confuse generators.
    return only if "$ref" in only else {**rest, **only}
