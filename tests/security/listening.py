"""Where processes listen, read from the kernel's own tables."""

import ipaddress
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_LISTENING = "0A"


class Listener(NamedTuple):
    """A TCP socket that takes connections."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return ipaddress.ip_address(self.host).is_loopback


def listeners(pids: Iterable[int]) -> set[Listener]:
    """Return where these processes listen."""
    inodes = {inode for pid in pids for inode in _sockets(pid)}
    return {
        listener
        for table in ("tcp", "tcp6")
        for inode, listener in _table(Path("/proc/self/net") / table)
        if inode in inodes
    }


def _sockets(pid: int) -> set[str]:
    found = set()
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(handle.readlink())
        except OSError:  # closed since
            continue
        if target.startswith("socket:["):
            found.add(target.removeprefix("socket:[").rstrip("]"))
    return found


def _table(path: Path) -> list[tuple[str, Listener]]:
    rows = [line.split() for line in path.read_text().splitlines()[1:]]
    return [(row[9], _listener(row[1])) for row in rows if row[3] == _LISTENING]


def _listener(field: str) -> Listener:
    address, _, port = field.partition(":")
    raw = bytes.fromhex(address)
    # Words of four bytes, each in this machine's order.
    words = [raw[start : start + 4][::-1] for start in range(0, len(raw), 4)]
    return Listener(str(ipaddress.ip_address(b"".join(words))), int(port, 16))
