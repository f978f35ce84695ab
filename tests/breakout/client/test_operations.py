"""The client's methods have the names, types and closed sets of the OpenAPI document."""

import collections.abc
import inspect
from datetime import date, datetime
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from breakout.client import Breakout
from breakout.client.operations import Operations
from tools.client import FILE, document, text

DOCUMENT = document()
LEFT_OUT = {"format", "csv_safe", "cursor"}
TYPES: dict[str, set[Any]] = {
    "null": set(),
    "string": {str},
    "integer": {int},
    "number": {float},
    "boolean": {bool},
    "date": {str, date},
    "date-time": {str, date, datetime},
}
METHODS = {
    described["operationId"]: (path, described["parameters"])
    for path, methods in DOCUMENT["paths"].items()
    for described in methods.values()
    if path.startswith("/v1/") and "parameters" in described
}


def test_file_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == text(DOCUMENT), "run `make client`"


def test_every_operation_is_a_method_and_nothing_else() -> None:
    public = {name for name in vars(Operations) if not name.startswith("_")}
    assert public == set(METHODS)
    assert {name for name in dir(Breakout) if not name.startswith("_")} == {*public, "close"}


@pytest.mark.parametrize("name", METHODS)
def test_parameters_have_the_documents_names(name: str) -> None:
    path, described = METHODS[name]
    method = getattr(Breakout, name)
    keywords = {
        one.name
        for one in inspect.signature(method).parameters.values()
        if one.kind is inspect.Parameter.KEYWORD_ONLY
    }
    wanted = {one["name"] for one in described if one["in"] == "query"} - LEFT_OUT
    assert keywords == wanted
    assert inspect.getdoc(method)
    for one in wanted:
        assert f"\n    {one}: " in (inspect.getdoc(method) or ""), one
    takes_models = any(
        one.kind is inspect.Parameter.VAR_POSITIONAL
        for one in inspect.signature(method).parameters.values()
    )
    assert takes_models == ("model" in wanted)
    assert ("model_id" in inspect.signature(method).parameters) == ("{org}/{name}" in path)


@pytest.mark.parametrize("name", METHODS)
def test_parameters_have_the_documents_types(name: str) -> None:
    hints = get_type_hints(getattr(Breakout, name))
    for one in METHODS[name][1]:
        if one["in"] == "query" and one["name"] not in LEFT_OUT:
            wanted = types_of(one["schema"])
            assert flat(hints[one["name"]]) == wanted | {type(None)}, one["name"]


def types_of(schema: dict[str, Any]) -> set[Any]:
    """Return the types that a schema takes, and each value of a closed set."""
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return set().union(*map(types_of, schema["anyOf"]))
    if schema["type"] == "array":
        return types_of(schema["items"]) | {collections.abc.Iterable}
    if "enum" in schema or "const" in schema:
        return set(schema.get("enum", [schema.get("const")]))
    return TYPES[schema.get("format", schema["type"])]


def flat(hint: Any) -> set[Any]:
    """Return the types that an annotation takes, and each value of a `Literal`."""
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    if get_origin(hint) is collections.abc.Iterable:
        (item,) = get_args(hint)
        return {collections.abc.Iterable} | flat(item)
    if get_args(hint):
        return set().union(*map(flat, get_args(hint)))
    return {hint}


def test_a_size_bin_and_a_region_are_closed_sets() -> None:
    hints = get_type_hints(Breakout.downloads)
    assert "7-9B" in flat(hints["size_bin"])
    assert "china" in flat(hints["region"])
    assert str not in flat(hints["region"]) | flat(hints["size_bin"])
