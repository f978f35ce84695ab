"""A small file system that a test can fill."""

import contextlib
import functools
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class SmallDisk:
    """A mounted tmpfs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"
        self._filling: threading.Thread | None = None
        self._freed = threading.Event()

    def fill(self) -> None:
        """Fill the disk, also with space that others release, until `free`."""
        self._freed.clear()
        full = threading.Event()
        self._filling = threading.Thread(target=self._fill, args=(full,))
        self._filling.start()
        full.wait()

    def _fill(self, full: threading.Event) -> None:
        with self._filler.open("ab", buffering=0) as filler:
            while not self._freed.is_set():
                for size in (1 << 20, 1 << 12):
                    with contextlib.suppress(OSError):
                        while True:
                            filler.write(bytes(size))
                full.set()
                self._freed.wait(0.01)

    def free(self) -> None:
        """Release the space."""
        if self._filling is not None:
            self._freed.set()
            self._filling.join()
            self._filling = None
            self._filler.unlink()


@contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mount a file system of a size at a new folder."""
    path.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(path))
    disk = SmallDisk(path)
    try:
        yield disk
    finally:
        disk.free()
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


@functools.cache
def _missing() -> str | None:
    if os.geteuid() != 0:
        return "only root may mount a small disk"
    with tempfile.TemporaryDirectory() as folder:
        try:
            with small_disk(Path(folder) / "disk", 1):
                return None
        except (OSError, subprocess.CalledProcessError) as error:
            return f"no small disk can be mounted here: {error}"


requires_small_disk = pytest.mark.skipif(
    _missing() is not None, reason=f"NOT RUN on a full disk: {_missing()}"
)
