"""The order of test files in a run of several processes."""

from itertools import chain, zip_longest

import pytest


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
