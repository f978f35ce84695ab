"""Imports go one way: everything may import `breakout`, which imports none of the rest."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FORBIDDEN = {
    "breakout": {"collectors", "streams", "api", "tests"},
    "collectors": {"streams", "api", "tests"},
    "streams": {"collectors", "api", "tests"},
    "api": {"collectors", "streams", "tests"},
}
SUPERVISED = "breakout.local"
"""The embedded servers are reached over the network, and started by the command line alone."""


def imported(tree: ast.AST, package: tuple[str, ...]) -> Iterator[str]:
    """Yield the dotted names a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def modules(package: str) -> list[Path]:
    return sorted((REPOSITORY / package).rglob("*.py"))


def imports_of(module: Path) -> set[str]:
    package = module.relative_to(REPOSITORY).parent.parts
    return set(imported(ast.parse(module.read_text()), package))


@pytest.mark.parametrize("package", [name for name in FORBIDDEN if modules(name)])
def test_no_module_imports_what_is_above_it(package: str) -> None:
    wrong = {
        (str(module.relative_to(REPOSITORY)), name)
        for module in modules(package)
        for name in imports_of(module)
        if name.partition(".")[0] in FORBIDDEN[package]
    }
    assert wrong == set()


def test_only_the_command_line_knows_the_embedded_servers() -> None:
    wrong = {
        (str(module.relative_to(REPOSITORY)), name)
        for package in FORBIDDEN
        for module in modules(package)
        if not module.is_relative_to(REPOSITORY / "breakout" / "cli")
        and not module.is_relative_to(REPOSITORY / "breakout" / "local")
        for name in imports_of(module)
        if f"{name}.".startswith(f"{SUPERVISED}.")
    }
    assert wrong == set()


@pytest.mark.parametrize(
    ("source", "package", "found"),
    [
        ("import streams.app", ("breakout",), "streams.app"),
        ("from streams import app", ("breakout",), "streams.app"),
        ("def f():\n    import collectors", ("breakout",), "collectors"),
        ("from . import main", ("breakout", "cli"), "breakout.cli.main"),
        ("from ..streams import x", ("breakout", "cli"), "breakout.streams"),
    ],
)
def test_the_rule_sees_every_form_of_import(
    source: str, package: tuple[str, ...], found: str
) -> None:
    assert found in set(imported(ast.parse(source), package))
