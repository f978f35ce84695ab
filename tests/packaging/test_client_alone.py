"""`pip install breakout-adoption` brings the client and nothing of the server."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.packaging.test_dependencies import PROJECT, extra, names

REPOSITORY = Path(__file__).resolve().parents[2]
CLIENT = {"httpx", "pyarrow", "tenacity"}
BROUGHT = {"anyio", "certifi", "h11", "httpcore", "idna", "sniffio", "typing-extensions"}
"""What httpx needs."""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment in which pip has installed the wheel from the index."""
    folder = tmp_path_factory.mktemp("client")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
    subprocess.run([*build, folder, REPOSITORY], check=True, stdout=subprocess.DEVNULL)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    programs = folder / "venv" / "bin"
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install", "--quiet"]
    done = subprocess.run(
        [*pip, "--disable-pip-version-check", "--retries", "1", wheel],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"NOT TESTED, the package index is out of reach: {done.stderr[-300:]}")
    return programs


def run(programs: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [programs / command[0], *command[1:]],
        cwd=programs,
        env={"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(600)
def test_no_package_of_the_server_comes_along(alone: Path) -> None:
    program = (
        "import json; from importlib.metadata import distributions;"
        "print(json.dumps([one.name.lower().replace('_', '-') for one in distributions()]))"
    )
    done = run(alone, "python", "-c", program)
    installed = set(json.loads(done.stdout))
    assert installed <= CLIENT | BROUGHT | {PROJECT["name"]}
    assert installed >= CLIENT | {PROJECT["name"]}
    assert not installed & names(extra("server") + extra("local")) - BROUGHT


def test_the_client_works_alone(alone: Path) -> None:
    program = (
        "from breakout.client import Breakout, BreakoutError\n"
        "try: Breakout('http://127.0.0.1:1', tries=1).sources()\n"
        "except BreakoutError as error: print(error)"
    )
    done = run(alone, "python", "-c", program)
    assert done.stderr == ""
    assert done.stdout.startswith("http://127.0.0.1:1/v1/sources does not respond: ")


@pytest.mark.parametrize(
    "command", [["breakout"], ["breakout", "top"], ["python", "-m", "breakout"]]
)
def test_the_command_says_what_to_install(alone: Path, command: list[str]) -> None:
    done = run(alone, *command)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "breakout: the command line needs the package click, which is not installed: "
        "run `pip install 'breakout-adoption[server]'`\n"
    )
