"""Where all tests keep their files, and the order of test files in a run of several processes."""

import os
import shutil
import tempfile
from itertools import chain, zip_longest
from pathlib import Path

import pytest
from hypothesis import settings

# A property holds or not; how long an example takes depends on what else the machine runs.
settings.register_profile("breakout", deadline=None)
settings.load_profile("breakout")

IN_MEMORY = Path("/dev/shm")
ROOM = 4 << 30
"""Bytes that must be free there; a whole run takes a tenth of it."""


def keep_files_in_memory() -> None:
    """Let this process and its children make their temporary files in memory, if there is room.

    Every database of a test is some three hundred files, which on a disk are a third of its cost.
    """
    if "TMPDIR" in os.environ or not IN_MEMORY.is_dir():
        return
    if shutil.disk_usage(IN_MEMORY).free >= ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(IN_MEMORY)


keep_files_in_memory()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the files of fault tests, one by one between the others.

    Those mostly wait, for a session to end or a server to start, and are long: at the end of a run
    they would leave processors idle, and one of them alone the processes.
    """
    if not hasattr(config, "workerinput"):
        return
    files: dict[object, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    waiting: list[list[pytest.Item]] = []
    computing: list[list[pytest.Item]] = []
    for own in files.values():
        waits = any(item.get_closest_marker("fault") for item in own)
        (waiting if waits else computing).append(own)
    nothing: list[pytest.Item] = []
    pairs = zip_longest(waiting, computing, fillvalue=nothing)
    items[:] = [item for pair in pairs for item in chain(*pair)]
