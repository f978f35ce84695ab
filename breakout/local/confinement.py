"""Confines this process with Landlock: which files it may open, and that it may not connect.

Rights that are checked in a query can be circumvented; the kernel's cannot. They apply to the
calling thread and the threads and processes that it starts, and cannot be undone, so a process
confines itself before it starts a thread.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

import landlockpy
from landlockpy import AccessFS, AccessNet, Ruleset, Scope

# The first Landlock ABIs that confine TCP, and signals to other processes
_TCP_ABI = 4
_SCOPE_ABI = 6

_READ = AccessFS.READ_FILE | AccessFS.READ_DIR
_LOAD = _READ | AccessFS.EXECUTE
_OWN = ~AccessFS.EXECUTE
_DEVICE = AccessFS.READ_FILE | AccessFS.WRITE_FILE

_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
_DEVICES = ("/dev/null", "/dev/urandom", "/dev/zero")
# Files from which an engine sizes its memory and threads. Single files of /proc only: others expose
# the environment and memory of processes.
_MACHINE = (
    "/proc/cpuinfo",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/self/auxv",
    "/proc/self/cgroup",
    "/proc/self/maps",
    "/proc/self/stat",
    "/proc/self/statm",
    "/proc/self/status",
    "/proc/stat",
    "/proc/sys/kernel/osrelease",
    "/proc/sys/vm/max_map_count",
    "/proc/sys/vm/overcommit_memory",
    "/proc/uptime",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
    "/sys/fs/cgroup",
    "/sys/kernel/mm/transparent_hugepage/enabled",
    "/usr/share/zoneinfo",
)


def unconfined() -> str | None:
    """Return what the kernel of this machine cannot confine; None if it can confine everything."""
    if sys.platform != "linux":
        return "files and network: only Linux has Landlock"
    abi = landlockpy.abi_version()
    if abi < 1:
        return "files and network: this kernel has no Landlock, or it is disabled"
    if abi < _TCP_ABI:
        return "the network: Landlock confines TCP since Linux 6.7"
    if abi < _SCOPE_ABI:
        return "signals to other processes: Landlock confines them since Linux 6.12"
    return None


def confine(
    *, port: int, owns: Iterable[Path] = (), loads: Iterable[Path] = (), machine: bool = True
) -> None:
    """Allow this process to read and write the folders it ``owns``, to read and execute code that
    it ``loads``, and to listen on one TCP port. ``machine`` lets it read the machine's size.

    Connections are denied. Has no effect without Landlock; `unconfined` returns what is missing.
    """
    if sys.platform != "linux" or not landlockpy.supported():
        return
    with Ruleset(scoped=Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET) as rules:
        for path in owns:
            rules.allow_path(path, _OWN)
        for path in loads:
            _allow(rules, path, _LOAD)
        for name in _DEVICES:
            _allow(rules, Path(name), _DEVICE)
        if machine:
            for name in _MACHINE:
                _allow(rules, Path(name), _READ)
        rules.allow_port(port, AccessNet.BIND_TCP)
        rules.restrict()


def python_libraries() -> list[Path]:
    """Return the folders and files from which this Python loads code, this package included.

    The folder that contains the package is not one of them: a checkout has its ``.env`` there.
    """
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    paths = {sysconfig.get_path(name) for name in names}
    paths |= {str(Path(sys.base_prefix, "lib")), os.path.realpath(sys.executable), *_LIBRARIES}
    return [Path(__file__).resolve().parent.parent, *map(Path, sorted(paths))]


def _allow(rules: Ruleset, path: Path, access: AccessFS) -> None:
    if not path.exists():
        return
    # Landlock rejects rights of folders for a file
    rules.allow_path(path, access if path.is_dir() else access & ~AccessFS.READ_DIR)
