"""The foreign clients' packages, fetched by their own package managers once a checkout.

Every function returns the command that runs a client, or skips the test and says why: the
language is not there, or its packages cannot be had. What then fails is a failure.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
KEPT_IN = HERE.parent.parent / ".foreign-clients"
_FETCH_SECONDS = 150.0
_BUILD_SECONDS = 150.0


def go_client() -> list[str]:
    """clickhouse-go's program, built."""
    go, source, program = _program("go"), HERE / "go", KEPT_IN / "go" / "client"

    def fetch(_folder: Path) -> None:
        _fetch([go, "mod", "download"], source)

    _once("go", (source / "go.sum").read_bytes(), fetch)
    build = [go, "build", "-o", str(program), "."]
    built = subprocess.run(
        build, cwd=source, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False
    )
    assert built.returncode == 0, built.stderr
    return [str(program)]


def node_client() -> list[str]:
    """The program of @clickhouse/client."""
    node, npm, source, folder = _program("node"), _program("npm"), HERE / "js", KEPT_IN / "js"

    def fetch(folder: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, folder)
        _fetch([npm, "ci", "--no-audit", "--no-fund"], folder)

    _once("js", (source / "package-lock.json").read_bytes(), fetch)
    # Packages are looked for beside the program
    shutil.copy(source / "client.mjs", folder)
    return [node, str(folder / "client.mjs")]


def jdbc_client() -> list[str]:
    """The program of clickhouse-jdbc, which Java compiles as it starts it."""
    java, maven, source = _program("java"), _program("mvn"), HERE / "java"

    def fetch(folder: Path) -> None:
        command = [maven, "--batch-mode", "--quiet", "--file", str(source / "pom.xml")]
        _fetch([*command, "dependency:copy-dependencies", f"-DoutputDirectory={folder}"], source)

    _once("java", (source / "pom.xml").read_bytes(), fetch)
    return [java, "--class-path", f"{KEPT_IN / 'java'}/*", str(source / "Client.java")]


def openapi_python() -> list[str]:
    """openapi-python-client's command."""
    source, folder = HERE / "openapi", KEPT_IN / "openapi-python"
    uv = str(Path(sys.executable).parent / "uv")

    def fetch(folder: Path) -> None:
        _fetch([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], source)
        python = str(folder / "bin" / "python")
        _fetch([uv, "pip", "install", "--python", python, "-r", "requirements.txt"], source)

    _once("openapi-python", (source / "requirements.txt").read_bytes(), fetch)
    return [str(folder / "bin" / "openapi-python-client")]


def openapi_typescript() -> Path:
    """The folder of openapi-typescript and the TypeScript compiler, in `node_modules/.bin`."""
    _program("node")
    npm, source, folder = _program("npm"), HERE / "openapi", KEPT_IN / "openapi-typescript"

    def fetch(folder: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, folder)
        _fetch([npm, "ci", "--no-audit", "--no-fund"], folder)

    _once("openapi-typescript", (source / "package-lock.json").read_bytes(), fetch)
    return folder


def python_client(program: str = "client.py") -> list[str]:
    """A program of polars, ibis, DuckDB and clickhouse-sqlalchemy, whose packages are large."""
    source, python = HERE / "python", KEPT_IN / "python" / "bin" / "python"
    uv = str(Path(sys.executable).parent / "uv")

    def fetch(folder: Path) -> None:
        _fetch([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], source)
        _fetch([uv, "pip", "install", "--python", str(python), "-r", "requirements.txt"], source)

    _once("python", (source / "requirements.txt").read_bytes(), fetch)
    return [str(python), str(source / program)]


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} on this machine")
    return found


def _once(name: str, wanted: bytes, fetch: Callable[[Path], None]) -> None:
    folder, done = KEPT_IN / name, KEPT_IN / f"{name}.fetched"
    KEPT_IN.mkdir(exist_ok=True)
    with (KEPT_IN / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists() and done.read_bytes() == wanted:
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        fetch(folder)
        done.write_bytes(wanted)


def _fetch(command: list[str], folder: Path) -> None:
    try:
        fetched = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_FETCH_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"{Path(command[0]).name} fetched nothing within {_FETCH_SECONDS:.0f} s")
    if fetched.returncode:
        said = (fetched.stderr + fetched.stdout).strip()
        pytest.skip(f"{Path(command[0]).name} cannot fetch the client: {said[-500:]}")
