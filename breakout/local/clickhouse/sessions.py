"""Named sessions: connections that outlive a request, for SET and temporary tables."""

from __future__ import annotations

import time
from dataclasses import dataclass

from breakout.local.clickhouse.connection import Connection
from breakout.local.clickhouse.errors import SESSION_IS_LOCKED, SESSION_NOT_FOUND, clickhouse_error
from breakout.local.clickhouse.request import SessionOptions


@dataclass(slots=True)
class Session:
    """One session; ``connection`` is None until its first request opens one."""

    connection: Connection | None = None
    in_use: bool = False
    expires_at: float = 0.0


class Sessions:
    """Sessions by (user, session id). Used from the event loop only.

    A session serves one request at a time; a concurrent one is rejected, as in ClickHouse.
    """

    def __init__(self) -> None:
        self._sessions: dict[tuple[str, str], Session] = {}

    def acquire(self, user: str, options: SessionOptions) -> Session:
        """Return the session of a request, and lock it."""
        session = self._sessions.get((user, options.session_id))
        if session is None:
            if options.must_exist:
                raise clickhouse_error(
                    SESSION_NOT_FOUND, f"Session {options.session_id} not found."
                )
            session = self._sessions[user, options.session_id] = Session()
        if session.in_use:
            raise clickhouse_error(
                SESSION_IS_LOCKED, f"Session {options.session_id} is locked by a concurrent client."
            )
        session.in_use = True
        return session

    def release(self, user: str, options: SessionOptions) -> None:
        """Unlock the session of a request; its timeout starts now."""
        session = self._sessions[user, options.session_id]
        session.in_use = False
        session.expires_at = time.monotonic() + options.timeout_seconds
        if options.close:
            self._close((user, options.session_id))

    def close_expired(self) -> None:
        """Close sessions whose timeout has passed."""
        now = time.monotonic()
        for key, session in list(self._sessions.items()):
            if not session.in_use and session.expires_at <= now:
                self._close(key)

    def close(self) -> None:
        """Close every session, after all requests."""
        for key in list(self._sessions):
            self._close(key)

    def _close(self, key: tuple[str, str]) -> None:
        connection = self._sessions.pop(key).connection
        if connection is not None:
            connection.close()
