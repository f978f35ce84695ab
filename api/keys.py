"""API keys: optional, shown once when they are made, and kept as hashes alone.

The file has a line for each key: its name, SHA-256 in hex, and, if it has its own, its requests a
minute. A key is 256 random bits, so a plain hash of it cannot be guessed backwards.
"""

import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import structlog

from breakout.settings import SettingsError

log = structlog.get_logger(__name__)

_LINE = re.compile(r"(?P<name>\S{1,100})\s+(?P<digest>[0-9a-f]{64})(?:\s+(?P<rate>[1-9]\d{0,6}))?")


@dataclass(frozen=True)
class Key:
    """Whose key it is. `rate` is requests a minute, None for what every key has."""

    name: str
    rate: int | None


def new_key(name: str) -> tuple[str, str]:
    """Return a new key and its line for the file. Raises `ValueError` for a name that is none."""
    key = "bk_" + secrets.token_urlsafe(32)
    line = f"{name} {_digest(key)}"
    if not _LINE.fullmatch(line):
        raise ValueError("a name has 1 to 100 characters and no space")
    return key, line


class Keys:
    """The keys of a file, which is read anew when it changes.

    Raises `SettingsError` for a file that cannot be read; one that becomes so leaves the keys
    as they were.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._read_at: int | None = None
        self._keys: dict[str, Key] = {}
        self._refresh()

    def find(self, key: str) -> Key | None:
        """Return whose key it is, None for an unknown one."""
        try:
            self._refresh()
        except SettingsError as error:
            log.error("the keys stay as they were", why=str(error))
        return self._keys.get(_digest(key))

    def _refresh(self) -> None:
        if self._file is None:
            return
        try:
            changed_at = self._file.stat().st_mtime_ns
            if changed_at != self._read_at:
                self._read_at = changed_at
                self._keys = _read(self._file)
        except OSError as error:
            raise SettingsError(
                f"BREAKOUT_API_KEYS_FILE: cannot read {self._file} ({error.strerror or error})"
            ) from error


def _read(file: Path) -> dict[str, Key]:
    found = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        one = _LINE.fullmatch(text)
        if one is None:
            raise SettingsError(
                f"BREAKOUT_API_KEYS_FILE: {file}, line {number}: must be what `breakout api key` "
                "printed: a name, 64 hex digits, and, if wanted, requests a minute"
            )
        found[one["digest"]] = Key(one["name"], int(one["rate"]) if one["rate"] else None)
    return found


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()
