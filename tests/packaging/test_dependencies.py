"""What the code imports is what pyproject.toml declares, and what the locks hold."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from breakout.cli import extras

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
SHIPPED = ("breakout", "collectors", "streams", "api")
UNSHIPPED = ("tests", "tools", "bench", "grafana")


def extra(name: str) -> list[Requirement]:
    """Return the requirements of an extra, less the other extras that it has."""
    texts = PROJECT["optional-dependencies"][name]
    return [Requirement(text) for text in texts if not text.startswith(f"{PROJECT['name']}[")]


CLIENT = [Requirement(text) for text in PROJECT["dependencies"]]
SERVER = CLIENT + extra("server")
LOCAL = SERVER + extra("local")
DEVELOPMENT = extra("dev")
EMBEDDED = "breakout/local"
"""Where the extra `local` is needed."""
# Not imported, but needed: by name.
TOOLS = {
    "build",
    "editables",
    "hatchling",
    "import-linter",
    "ipykernel",
    "matplotlib",
    "nbclient",
    "mypy",
    "pip-audit",
    "pytest-asyncio",
    "pytest-timeout",
    "types-pyyaml",
    "pytest-xdist",
    "ruff",
    "uv",
}


def names(requirements: list[Requirement]) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in requirements}


def imported_modules(package: str, *, without: str = "") -> Iterator[str]:
    """Yield the top-level modules that a package's files import, wherever in them.

    Not those of programs that bring their own requirements and run in an environment of their own,
    and not those of the folder `without`.
    """
    for file in (REPOSITORY / package).rglob("*.py"):
        if (file.parent / "requirements.txt").exists():
            continue
        if without and file.is_relative_to(REPOSITORY / without):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def imported(*packages: str, without: str = "") -> dict[str, set[str]]:
    """Return the modules from elsewhere that packages import, with who may have brought each."""
    distributions = packages_distributions()
    modules = {
        module for package in packages for module in imported_modules(package, without=without)
    }
    modules -= {*sys.stdlib_module_names, *SHIPPED, *UNSHIPPED}
    return {
        module: {canonicalize_name(name) for name in distributions.get(module, ())}
        for module in modules
    }


def undeclared(modules: dict[str, set[str]], requirements: list[Requirement]) -> set[str]:
    return {module for module, brought in modules.items() if not brought & names(requirements)}


def test_what_is_shipped_imports_only_what_is_declared() -> None:
    # The client's optional libraries, which it names where they are missing.
    optional = {"pandas", "polars"}
    assert undeclared(imported(*SHIPPED), LOCAL) - optional == set()


def test_server_does_without_what_the_embedded_servers_need() -> None:
    optional = {"pandas", "polars"}
    assert undeclared(imported(*SHIPPED, without=EMBEDDED), SERVER) - optional == set()


def test_missing_package_of_the_embedded_servers_names_their_extra() -> None:
    distributions = packages_distributions()
    brought = {
        module
        for module, by in distributions.items()
        if {canonicalize_name(one) for one in by} & names(extra("local")) and module[0] != "_"
    }
    assert brought >= extras.LOCAL
    assert undeclared(imported(EMBEDDED), SERVER) <= extras.LOCAL
    assert PROJECT["name"] == extras.DISTRIBUTION


def test_the_rest_imports_only_what_is_declared() -> None:
    assert undeclared(imported(*UNSHIPPED), LOCAL + DEVELOPMENT) == set()


def test_an_undeclared_module_would_be_seen() -> None:
    assert undeclared({"sixth": {"six"}, "pydantic": {"pydantic"}}, SERVER) == {"sixth"}


def test_what_is_declared_for_development_is_used() -> None:
    used = set().union(*imported(*UNSHIPPED).values())
    assert names(DEVELOPMENT) - used - TOOLS == set()


def pinned(lock: str) -> dict[str, list[Version]]:
    """Return the versions a lock holds, several where they depend on the Python."""
    found: dict[str, list[Version]] = {}
    text = (REPOSITORY / lock).read_text()
    for name, version in re.findall(r"^([\w.-]+)==([^ \\;]+)", text, re.MULTILINE):
        found.setdefault(canonicalize_name(name), []).append(Version(version))
    return found


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [("requirements.lock", SERVER), ("requirements-dev.lock", LOCAL + DEVELOPMENT)],
)
def test_a_lock_holds_what_is_declared(lock: str, requirements: list[Requirement]) -> None:
    versions = pinned(lock)
    wrong = [
        str(requirement)
        for requirement in requirements
        if not versions.get(canonicalize_name(requirement.name))
        or not all(
            map(requirement.specifier.contains, versions[canonicalize_name(requirement.name)])
        )
    ]
    assert wrong == [], "run `make lock`"


def test_both_locks_hold_the_same_versions() -> None:
    runtime, development = pinned("requirements.lock"), pinned("requirements-dev.lock")
    assert runtime == {name: development.get(name) for name in runtime}


def test_image_is_built_without_the_embedded_servers() -> None:
    held = pinned("requirements.lock")
    assert not names(extra("local")) & held.keys() - names(SERVER) - {"lz4", "zstandard"}
    assert "pandas" not in held


def test_every_locked_package_has_its_hashes() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        entries = re.split(r"\n(?=\S)", (REPOSITORY / lock).read_text())
        assert [entry for entry in entries if "==" in entry and "--hash=sha256:" not in entry] == []
