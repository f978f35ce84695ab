"""Install the locked packages and the project into `.venv`.

The Makefile runs it with the system's Python before anything is installed, so it uses the standard
library only.
"""

import fcntl
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements-dev.lock"
STAMP = VENV / "installed.json"
PIP = (VENV_PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input")
UV = (VENV_PYTHON, "-m", "uv", "pip")


class SetupError(Exception):
    """Something is missing on this machine; the message says what to install."""


def main() -> int:
    """Set up `.venv` unless it is up to date; returns the exit code."""
    try:
        require_venv()
        with only_one_at_a_time():
            set_up()
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        command = " ".join(str(part) for part in error.cmd[:6])
        print(f"setup: `{command} ...` failed, see above", file=sys.stderr)
        return 1
    return 0


def require_venv() -> None:
    """Raise `SetupError` unless this Python can create virtual environments."""
    # Debian packages them separately, and omits `ensurepip` without them.
    for module in ("venv", "ensurepip"):
        if find_spec(module) is None:
            raise SetupError(
                f"{sys.executable} cannot create virtual environments ({module} is missing): "
                f"`apt install python3-venv` on Debian and Ubuntu"
            )


@contextmanager
def only_one_at_a_time() -> Iterator[None]:
    """Wait while another `make` sets up `.venv`."""
    # Any file outside .venv, which may be replaced.
    with Path(__file__).open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("setup: waiting for another `make` that sets .venv up", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def set_up() -> None:
    """Install what is missing: everything, the packages, or only the project."""
    wanted, found = fingerprints(), installed()
    if found == wanted:
        return
    STAMP.unlink(missing_ok=True)  # incomplete until the end
    if found.get("venv") != wanted["venv"]:
        run(sys.executable, "-m", "venv", "--clear", VENV)
        found = {}
    if found.get("lock") != wanted["lock"]:
        install_packages()
    # Its build backend is one of the locked packages, so nothing is downloaded.
    run(*PIP, "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "-e", ROOT)
    STAMP.write_text(json.dumps(wanted))


def fingerprints() -> dict[str, str]:
    """Return what each part of an installation depends on."""
    return {
        # An environment contains its own path, and is tied to one Python.
        "venv": f"{VENV} {sys.executable} {sys.version}",
        "lock": hashlib.sha256(LOCK.read_bytes()).hexdigest(),
        "project": hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest(),
    }


def installed() -> dict[str, str]:
    """Return the fingerprints of the last finished installation, empty if there is none."""
    if not STAMP.is_file() or not os.access(VENV_PYTHON, os.X_OK):
        return {}
    stamp: dict[str, str] = json.loads(STAMP.read_text())
    return stamp


def install_packages() -> None:
    """Install the locked packages with uv, or with pip if uv fails.

    uv is several times faster. pip supports settings that uv does not read, such as a mirror in
    pip.conf.
    """
    print("setup: installing the locked packages into .venv", file=sys.stderr)
    install_uv()
    try:
        run(*UV, "sync", "--quiet", "--require-hashes", LOCK)
    except subprocess.CalledProcessError:
        print("setup: uv failed, see above; trying pip, which is slower", file=sys.stderr)
        run(sys.executable, "-m", "venv", "--clear", VENV)
        run(*PIP, "install", "--require-hashes", "--requirement", LOCK)


def install_uv() -> None:
    """Install the locked uv with pip."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirement:
        requirement.write(entry_of("uv", LOCK.read_text()))
        requirement.flush()
        run(*PIP, "install", "--quiet", "--require-hashes", "--requirement", requirement.name)


def entry_of(package: str, lock: str) -> str:
    """Return a package's entry in a lock, with all its hashes. Raises `SetupError`."""
    entry = re.search(rf"^{package}==.*(\n +--hash=.*)+", lock, re.MULTILINE)
    if entry is None:
        raise SetupError(f"{LOCK.name} has no {package}: restore it, or run `make lock`")
    return entry.group()


def run(*command: str | Path) -> None:
    """Run a command with its output on standard error; raises `CalledProcessError`."""
    # Standard output is left to the make target.
    subprocess.run([str(part) for part in command], check=True, stdout=sys.stderr)  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
