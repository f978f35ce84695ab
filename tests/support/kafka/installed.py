"""Apache Kafka's jars, fetched by Maven once per checkout, and its archive of classes."""

import fcntl
import functools
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[2] / ".kafka"
_OLDEST_JAVA = 17
_FETCH_SECONDS = 540.0


class Kafka(NamedTuple):
    """An installation."""

    java: str
    jars: Path
    archive: Path
    """Archive of loaded classes: a broker starts in one second instead of five; may be missing."""


def why_not() -> str | None:
    """Return why Apache Kafka cannot run here, or None."""
    java = shutil.which("java")
    if java is None:
        return f"no java: Apache Kafka needs Java {_OLDEST_JAVA} or newer"
    output = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', output)
    if version is None or int(version[1]) < _OLDEST_JAVA:
        first = output.strip().splitlines()[:1]
        return f"Apache Kafka needs Java {_OLDEST_JAVA} or newer, and found: {''.join(first)}"
    if not (FOLDER / "jars").is_dir() and shutil.which("mvn") is None:
        return "no mvn: Maven fetches Apache Kafka's jars"
    return None


@functools.cache
def installed() -> Kafka:
    """Return the installation, fetched if needed. Raises `RuntimeError` with Maven's output."""
    kafka = Kafka(str(shutil.which("java")), FOLDER / "jars", FOLDER / "classes.jsa")
    with exclusive():
        if not kafka.jars.is_dir() or _fetched() != (HERE / "pom.xml").read_bytes():
            shutil.rmtree(FOLDER / "jars", ignore_errors=True)
            kafka.archive.unlink(missing_ok=True)
            _fetch(kafka.jars)
    return kafka


@contextmanager
def exclusive() -> Iterator[None]:
    """Lock the installation against other test processes of this checkout."""
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetched() -> bytes:
    pom = FOLDER / "pom.xml"
    return pom.read_bytes() if pom.exists() else b""


def _fetch(jars: Path) -> None:
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        command = ["mvn", "--batch-mode", "--quiet", "--file", str(HERE / "pom.xml")]
        fetching = subprocess.run(
            [*command, "dependency:copy-dependencies", f"-DoutputDirectory={folder}/jars"],
            capture_output=True,
            text=True,
            timeout=_FETCH_SECONDS,
            check=False,
        )
        if fetching.returncode:
            raise RuntimeError(f"Maven cannot fetch Apache Kafka:\n{fetching.stdout[-2000:]}")
        (Path(folder) / "jars").rename(jars)
    shutil.copyfile(HERE / "pom.xml", FOLDER / "pom.xml")
