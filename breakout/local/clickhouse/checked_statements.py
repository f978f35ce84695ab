"""Statements of the read-only user that were checked before: a check takes milliseconds."""

from __future__ import annotations

import threading
from collections import OrderedDict
from hashlib import sha256

from breakout.local.clickhouse.request import QueryRequest

_REMEMBERED = 4096
"""More than the texts of the API's queries; the digests take half a megabyte."""


class CheckedStatements:
    """Digests of allowed statements that only read, the least recently used ones dropped."""

    def __init__(self) -> None:
        self._digests: OrderedDict[bytes, None] = OrderedDict()
        # Used from the threads of `EngineThreads`.
        self._lock = threading.Lock()

    def __contains__(self, digest: bytes | None) -> bool:
        """Return whether a statement was checked before, and is now the last one used."""
        with self._lock:
            known = digest in self._digests
            if known:
                self._digests.move_to_end(digest)  # type: ignore[arg-type] # None is not known
            return known

    def add(self, digest: bytes) -> None:
        """Remember a statement."""
        with self._lock:
            self._digests[digest] = None
            self._digests.move_to_end(digest)
            while len(self._digests) > _REMEMBERED:
                self._digests.popitem(last=False)


def digest_of(sql: bytes, request: QueryRequest) -> bytes | None:
    """Return the digest of all that a statement's check depends on, but for its parameters.

    None for one in a session, whose settings may change how the engine reads the text.
    """
    if request.session is not None:
        return None
    context = (request.default_format, request.database, sorted(request.settings.items()))
    return sha256(repr(context).encode() + b"\0" + sql).digest()
