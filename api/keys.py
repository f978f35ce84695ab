"""API keys: optional, printed once when created, and stored as hashes only.

The file has a line per key: its name, its SHA-256 in hex, and optionally its limit of requests per
minute. A key is 256 random bits, so a plain hash of it cannot be reversed by guessing.
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
    """Owner of a key. `rate` is requests per minute, None for the default of keys."""

    name: str
    rate: int | None


def new_key(name: str) -> tuple[str, str]:
    """Return a new key and its line for the file. Raises `ValueError` for an invalid name."""
    key = "bk_" + secrets.token_urlsafe(32)
    line = f"{name} {_digest(key)}"
    if not _LINE.fullmatch(line):
        raise ValueError(f"invalid name {name!r}: use 1 to 100 characters without white space")
    return key, line


class Keys:
    """The keys of a file, reloaded when it changes.

    Raises `SettingsError` if the file cannot be read at start. If a later reload fails, the keys
    loaded before stay valid.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._modified_at: int | None = None
        self._keys: dict[str, Key] = {}
        self._reload()

    def find(self, key: str) -> Key | None:
        """Return the owner of a key, None if it is unknown."""
        try:
            self._reload()
        except SettingsError as error:
            log.error("cannot reload the API keys; those loaded before stay valid", why=str(error))
        return self._keys.get(_digest(key))

    def _reload(self) -> None:
        if self._file is None:
            return
        try:
            modified_at = self._file.stat().st_mtime_ns
            if modified_at != self._modified_at:
                self._modified_at = modified_at
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
        match = _LINE.fullmatch(text)
        if match is None:
            raise SettingsError(
                f"BREAKOUT_API_KEYS_FILE: {file}, line {number}: invalid line; it must be as "
                "`breakout api key` prints it: a name, 64 hex digits, and optionally a limit of "
                "requests per minute"
            )
        found[match["digest"]] = Key(match["name"], int(match["rate"]) if match["rate"] else None)
    return found


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()
