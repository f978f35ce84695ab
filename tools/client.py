"""`make client`: writes the client's operations from the OpenAPI document.

Each operation becomes a method whose parameters have the names, types and closed sets of the
document.
"""

import re
import subprocess
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.app import create_app
from breakout.settings import Settings

FILE = Path(__file__).resolve().parent.parent / "breakout" / "client" / "operations.py"
ARROW = "application/vnd.apache.arrow.stream"
LEFT_OUT = {"format", "csv_safe", "cursor"}
"""Parameters that the client sets itself, or that do not apply to Arrow."""
MODEL = "model"
"""Its values may also be positional."""
LAST = ("as_of", "limit")
OWN_WORDS = {"limit": "Maximum number of rows; default: all"}
"""Descriptions that differ for the client, which gets no pages."""
WIDTH = 100

_HEAD = '''"""The operations of the API. Written by `make client` from the OpenAPI document."""

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias
from urllib.parse import quote

from breakout.client.parameters import {types}
from breakout.client.result import Result

{aliases}

class Operations:
    """A method for each operation; a parameter that is None is left out."""

    def _request(
        self, path: str, parameters: Mapping[str, Value], models: Iterable[str] = ()
    ) -> Result:
        raise NotImplementedError

'''


@dataclass(frozen=True)
class Parameter:
    """A query parameter of an operation."""

    name: str
    type: str
    """Its annotation; empty for a closed set."""
    choices: tuple[str, ...]
    """The values of a closed set."""
    several: bool
    description: str


@dataclass(frozen=True)
class Operation:
    """An operation: its method's name, its path below /v1/, and its parameters."""

    name: str
    path: str
    path_parts: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    description: str


def operations(document: dict[str, Any]) -> list[Operation]:
    """Return the operations that respond with rows."""
    found = []
    for path, methods in document["paths"].items():
        described = methods.get("get", {})
        responses = described.get("responses", {})
        if ARROW not in responses.get("200", {}).get("content", {}):
            continue
        given = described.get("parameters", [])
        own = [_parameter(one, document) for one in given if one["in"] == "query"]
        found.append(
            Operation(
                described["operationId"],
                path.removeprefix("/v1/"),
                tuple(one["name"] for one in given if one["in"] == "path"),
                tuple(
                    sorted(
                        (one for one in own if one.name not in LEFT_OUT),
                        key=lambda one: LAST.index(one.name) if one.name in LAST else -1,
                    )
                ),
                described["description"],
            )
        )
    return found


def _parameter(described: dict[str, Any], document: dict[str, Any]) -> Parameter:
    options = _options(described["schema"], document)
    several = any(option.get("type") == "array" for option in options)
    if several:
        options = [
            inner
            for option in options
            for inner in (
                _options(option["items"], document) if option.get("type") == "array" else [option]
            )
        ]
    choices = tuple(
        dict.fromkeys(
            value
            for option in options
            for value in option.get("enum", [option["const"]] if "const" in option else [])
        )
    )
    return Parameter(
        described["name"],
        "" if choices else _annotation(options, several=several),
        choices,
        several,
        described.get("description", ""),
    )


def _options(schema: dict[str, Any], document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the alternatives of a schema, references resolved, without null."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/components/schemas/")
        return _options(document["components"]["schemas"][name], document)
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    if alternatives:
        return [option for one in alternatives for option in _options(one, document)]
    return [] if schema.get("type") == "null" else [schema]


def _annotation(options: Sequence[dict[str, Any]], *, several: bool) -> str:
    formats = {option.get("format") for option in options}
    kinds = {option["type"] for option in options}
    if "date-time" in formats:
        return "Timestamp"
    if "date" in formats:
        return "Day"
    if kinds == {"string"}:
        return "Texts" if several else "str"
    if kinds == {"integer"}:
        return "Integers" if several else "int"
    if kinds == {"boolean"}:
        return "bool"
    if kinds <= {"integer", "number"}:
        return "float"
    raise ValueError(f"no annotation for {options}")


def aliases(found: Sequence[Operation]) -> dict[tuple[str, tuple[str, ...]], str]:
    """Return the name of each closed set: the parameter's, if most operations share it.

    The other sets of that parameter have the name of the first operation before it.
    """
    sets: dict[str, dict[tuple[str, ...], list[str]]] = defaultdict(lambda: defaultdict(list))
    for operation in found:
        for one in operation.parameters:
            if one.choices:
                sets[one.name][one.choices].append(operation.name)
    names = {}
    for name, variants in sets.items():
        most = sorted((len(users) for users in variants.values()), reverse=True)
        for choices, users in variants.items():
            is_usual = len(users) == most[0] and most.count(most[0]) == 1
            prefix = "" if is_usual else f"{users[0]}_"
            names[name, choices] = _camel(f"{prefix}{name}")
    return names


def text(document: dict[str, Any]) -> str:
    """Return the module."""
    found = operations(document)
    names = aliases(found)
    methods = "\n".join(_method(operation, names) for operation in found)
    used = {"Value"} | set(re.findall(r": (Day|Timestamp|Texts|Integers) \| None", methods))
    head = _HEAD.format(
        types=", ".join(sorted(used)),
        aliases="\n".join(
            f"{alias}: TypeAlias = Literal[{', '.join(f'{one!r}' for one in choices)}]"
            for (_, choices), alias in names.items()
        ),
    )
    return _formatted(head + methods)


def _method(operation: Operation, names: dict[tuple[str, tuple[str, ...]], str]) -> str:
    arguments, path = _path(operation)
    of_models = any(one.name == MODEL for one in operation.parameters)
    signature = ["self", *(f"{name}: str" for name in arguments)]
    signature.append("*models: str" if of_models else "*")
    signature += [f"{one.name}: {_type(one, names)} | None = None" for one in operation.parameters]
    sent = ", ".join(f'"{one.name}": {one.name}' for one in operation.parameters)
    call = [path, f"{{{sent}}}", *(["models"] if of_models else [])]
    return "\n".join(
        [
            f"    def {operation.name}({', '.join(signature)}) -> Result:",
            *_docstring(operation),
            f"        return self._request({', '.join(call)})",
            "",
        ]
    )


def _path(operation: Operation) -> tuple[list[str], str]:
    """Return the arguments that a path is made of, and the expression of the path."""
    if not operation.path_parts:
        return [], f'"{operation.path}"'
    path = operation.path.replace("{org}/{name}", "{model_id}")
    arguments = re.findall(r"\{(\w+)\}", path)
    safe = '"/"'
    return arguments, 'f"' + re.sub(r"\{(\w+)\}", rf"{{quote(\1, safe={safe})}}", path) + '"'


def _type(parameter: Parameter, names: dict[tuple[str, tuple[str, ...]], str]) -> str:
    if not parameter.choices:
        return parameter.type
    alias = names[parameter.name, parameter.choices]
    return f"{alias} | Iterable[{alias}]" if parameter.several else alias


def _docstring(operation: Operation) -> Iterator[str]:
    indent = " " * 8
    paragraphs = operation.description.split("\n\n")
    wrapped = [
        textwrap.fill(" ".join(one.split()), WIDTH, initial_indent=indent, subsequent_indent=indent)
        for one in paragraphs
    ]
    wrapped[0] = textwrap.fill(
        '"""' + " ".join(paragraphs[0].split()),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
    )
    yield "\n\n".join(wrapped)
    yield ""
    yield f"{indent}Args:"
    for name in _path(operation)[0]:
        yield f"{indent}    {name}: {'Model id, as `org/name`' if name == 'model_id' else name}"
    for one in operation.parameters:
        yield textwrap.fill(
            f"{one.name}: {OWN_WORDS.get(one.name, one.description)}",
            WIDTH,
            initial_indent=f"{indent}    ",
            subsequent_indent=f"{indent}        ",
        )
    yield f'{indent}"""'


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _formatted(code: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(FILE), "-"]
    done = subprocess.run(  # noqa: S603 - our own words
        command, input=code, capture_output=True, text=True, check=True
    )
    return done.stdout


def document() -> dict[str, Any]:
    """Return the OpenAPI document of the API with default settings."""
    return create_app(Settings()).openapi()


def main() -> None:
    """Write the file."""
    FILE.write_text(text(document()), encoding="utf-8")


if __name__ == "__main__":
    main()
