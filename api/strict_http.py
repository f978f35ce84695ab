"""Strict HTTP/1.1 parsing, and the problem response to what is not a valid request."""

import json
from typing import Any

import h11

from api.problems import MEDIA_TYPE


class StrictConnection(h11.Connection):
    """Rejects requests that two servers may parse differently (request smuggling)."""

    reason = ""
    """Why the last request was rejected."""

    def next_event(self) -> Any:
        """Return the next event. Raises `h11.RemoteProtocolError`, and sets `reason`."""
        try:
            event = super().next_event()
            if isinstance(event, h11.Request):
                names = {name for name, _ in event.headers}
                if names >= {b"content-length", b"transfer-encoding"}:
                    raise h11.RemoteProtocolError(
                        "Content-Length and Transfer-Encoding exclude each other: send one"
                    )
        except h11.RemoteProtocolError as error:
            self.reason = str(error)
            raise
        return event

    def bad_request(self, message: str) -> bytes:
        """Return a 400 problem response; `message` is its detail if there is no `reason`."""
        problem = {
            "type": "about:blank",
            "title": "Bad Request",
            "status": 400,
            "detail": self.reason or message,
            "errors": [],
        }
        body = json.dumps(problem).encode()
        headers = [
            ("content-type", MEDIA_TYPE),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        events = (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        return b"".join(self.send(event) or b"" for event in events)
