"""The peers' Python environment with pinned requirements, created once per checkout."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
VENV = HERE.parent.parent / ".venv-peers"
_COMMON = ("clickhouse-connect", "confluent-kafka", "orjson", "pyarrow")
_SECONDS = 600.0


class NotInstalledError(Exception):
    """A peer's packages cannot be installed; the message is the installer's last error."""


def python_with(package: str) -> Path:
    """Return a Python that has a peer's package as pinned, installed first if needed.

    Raises `NotInstalledError`.
    """
    python = VENV / "bin" / "python"
    done = VENV / f"{_name(package)}.installed"
    wanted = REQUIREMENTS.read_text()
    if done.exists() and done.read_text() == wanted:
        return python
    if not python.exists():
        shutil.rmtree(VENV, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(VENV)])
    # One by one, so that a failure does not affect the others.
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    _run([*command, "--quiet", "--constraint", str(REQUIREMENTS), package, *_COMMON])
    done.write_text(wanted)
    return python


def version(package: str) -> str:
    """Return the version a package is pinned to."""
    found = re.search(
        rf"^{re.escape(_name(package))}==(\S+)", REQUIREMENTS.read_text(), re.MULTILINE
    )
    return found[1] if found else "unpinned"


def _name(package: str) -> str:
    return package.partition("[")[0]


def _run(command: list[str]) -> None:
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise NotInstalledError(f"not installed within {_SECONDS:.0f} s") from None
    if run.returncode:
        lines = (run.stderr or run.stdout).strip().splitlines()
        errors = (
            [line for line in lines if line.startswith("ERROR")] or lines or ["no reason given"]
        )
        raise NotInstalledError(f"cannot be installed: {errors[-1]}")
