"""Confines this process by the kernel (Landlock), for good: what it may open and connect to.

Rights that are judged from a query can be got around; these cannot. They hold for the calling
thread and all that it starts, so a process confines itself before it starts any other thread.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

import landlockpy
from landlockpy import AccessFS, AccessNet, Ruleset, Scope

# The first versions of Landlock's interface that confine TCP, and signals to other processes
_TCP_ABI = 4
_SCOPE_ABI = 6

_READ = AccessFS.READ_FILE | AccessFS.READ_DIR
_LOAD = _READ | AccessFS.EXECUTE
_OWN = ~AccessFS.EXECUTE
_DEVICE = AccessFS.READ_FILE | AccessFS.WRITE_FILE

_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
_DEVICES = ("/dev/null", "/dev/urandom", "/dev/zero")
# Facts of the machine by which an engine sizes its memory and threads. Of /proc single files
# alone: others there show the environment and the memory of processes.
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
    """What the kernel of this machine cannot confine, in words; None when it confines it all."""
    if sys.platform != "linux":
        return "files and network: only Linux has Landlock"
    abi = landlockpy.abi_version()
    if abi < 1:
        return "files and network: this kernel has no Landlock, or it is turned off"
    if abi < _TCP_ABI:
        return "the network: Landlock confines TCP from Linux 6.7 on"
    if abi < _SCOPE_ABI:
        return "signals to other processes: Landlock confines them from Linux 6.12 on"
    return None


def confine(
    *, port: int, owns: Iterable[Path] = (), loads: Iterable[Path] = (), machine: bool = True
) -> None:
    """Leave this process the folders it ``owns``, code that it ``loads``, and one TCP port to
    listen on. ``machine`` lets it read facts of the machine. Connections to anywhere are denied.

    Does what the kernel can, which `unconfined` tells; nothing where it has no Landlock.
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
    """The folders and files from which this Python loads its code, ours included.

    Not the folder that our package lies in: in a checkout that is where ``.env`` is kept.
    """
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    paths = {sysconfig.get_path(name) for name in names}
    paths |= {str(Path(sys.base_prefix, "lib")), os.path.realpath(sys.executable), *_LIBRARIES}
    return [Path(__file__).resolve().parent.parent, *map(Path, sorted(paths))]


def _allow(rules: Ruleset, path: Path, access: AccessFS) -> None:
    if not path.exists():
        return
    # The rights of folders do not go with a file
    rules.allow_path(path, access if path.is_dir() else access & ~AccessFS.READ_DIR)
