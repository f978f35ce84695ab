"""Named sessions: a connection that outlives its request, for SET and temporary tables."""

from __future__ import annotations

import time
from dataclasses import dataclass

from breakout.local.clickhouse.engine import Connection
from breakout.local.clickhouse.errors import SESSION_IS_LOCKED, SESSION_NOT_FOUND, raised_here
from breakout.local.clickhouse.request import SessionWish


@dataclass(slots=True)
class Session:
    """One session; ``connection`` is None until its first request has opened one."""

    connection: Connection | None = None
    in_use: bool = False
    expires_at: float = 0.0


class Sessions:
    """Sessions by (user, session id). Used from the event loop only.

    A session serves one request at a time; a second one is refused as ClickHouse does.
    """

    def __init__(self) -> None:
        self._sessions: dict[tuple[str, str], Session] = {}

    def acquire(self, user: str, wish: SessionWish) -> Session:
        """The wanted session, for this request alone."""
        session = self._sessions.get((user, wish.session_id))
        if session is None:
            if wish.must_exist:
                raise raised_here(SESSION_NOT_FOUND, f"Session {wish.session_id} not found.")
            session = self._sessions[user, wish.session_id] = Session()
        if session.in_use:
            raise raised_here(
                SESSION_IS_LOCKED, f"Session {wish.session_id} is locked by a concurrent client."
            )
        session.in_use = True
        return session

    def release(self, user: str, wish: SessionWish) -> None:
        """Give a session back; its timeout starts now."""
        session = self._sessions[user, wish.session_id]
        session.in_use = False
        session.expires_at = time.monotonic() + wish.timeout_seconds
        if wish.close:
            self._close((user, wish.session_id))

    def close_expired(self) -> None:
        """Close sessions whose timeout has passed."""
        now = time.monotonic()
        for key, session in list(self._sessions.items()):
            if not session.in_use and session.expires_at <= now:
                self._close(key)

    def close(self) -> None:
        """Close every session; no request may hold one any more."""
        for key in list(self._sessions):
            self._close(key)

    def _close(self, key: tuple[str, str]) -> None:
        connection = self._sessions.pop(key).connection
        if connection is not None:
            connection.close()
