"""docs/errors.md: every exception class, its base, what it means and which modules raise it."""

import ast
import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tools.reference.markdown import code, page, table

REPOSITORY = Path(__file__).parents[2]
PACKAGES = {
    "breakout": "Shared by all parts",
    "collectors": "Collectors",
    "streams": "Workers",
    "api": "API",
}
BUILT_IN = {
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
}


class ClassName(NamedTuple):
    """A class by its module and name."""

    module: str
    name: str


@dataclass
class ErrorClass:
    """An exception class of the product."""

    base: str
    meaning: str
    raised_by: list[str] = field(default_factory=list)


def errors_page() -> str:
    """Return the page: a section for each package, one row an exception class."""
    classes = error_classes()
    return page(
        "Errors",
        "Every exception class of the Python code. A message says what failed with the value, why, "
        "and what to do. The command line prints it as one line; the API returns it as a problem "
        "(RFC 9457).",
        *(
            block
            for package, title in PACKAGES.items()
            for block in (
                f"## {title}",
                table(
                    ("Error", "Base", "Raised by", "Meaning"),
                    [
                        (
                            code(f"{name.module}.{name.name}"),
                            code(error.base),
                            ", ".join(map(code, error.raised_by)),
                            error.meaning,
                        )
                        for name, error in sorted(classes.items())
                        if name.module.split(".")[0] == package
                    ],
                ),
            )
        ),
    )


def error_classes() -> dict[ClassName, ErrorClass]:
    """Return all public exception classes of the packages, with the modules that raise them."""
    trees = dict(_modules())
    names = {module: _names(module, tree) for module, tree in trees.items()}
    classes = _classes(trees, names)
    for module, tree in trees.items():
        raised = {_resolved(names, module, name) for name in _raised(tree)}
        for class_name, error in classes.items():
            if class_name in raised:
                error.raised_by.append(module)
    return {name: error for name, error in classes.items() if not name.name.startswith("_")}


def _classes(
    trees: Mapping[str, ast.Module], names: Mapping[str, Mapping[str, ClassName]]
) -> dict[ClassName, ErrorClass]:
    classes: dict[ClassName, ErrorClass] = {}
    definitions = [
        (module, node, base.id)
        for module, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if isinstance(base, ast.Name)
    ]
    known = -1
    while len(classes) > known:  # a base may be defined after its subclass
        known = len(classes)
        for module, node, base in definitions:
            if base in BUILT_IN or _resolved(names, module, base) in classes:
                meaning = (ast.get_docstring(node) or "").partition("\n\n")[0]
                classes.setdefault(ClassName(module, node.name), ErrorClass(base, meaning))
    return classes


def _resolved(
    names: Mapping[str, Mapping[str, ClassName]], module: str, name: str
) -> ClassName | None:
    """Return the class that a name in a module means, through re-exports."""
    found = names.get(module, {}).get(name)
    if found is None or found == ClassName(module, name):
        return found
    return _resolved(names, *found) or found


def _raised(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a module calls, which creates an error, or raises as they are."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name):
            yield node.exc.id


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for file in sorted((REPOSITORY / package).rglob("*.py")):
            parts = file.relative_to(REPOSITORY).with_suffix("").parts
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield module, ast.parse(file.read_text(encoding="utf-8"))


def _names(module: str, tree: ast.Module) -> dict[str, ClassName]:
    """Return the classes that a module defines or imports, by the names it uses for them."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            names[node.name] = ClassName(module, node.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = ClassName(node.module, alias.name)
    return names
