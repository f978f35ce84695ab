"""Answers with the Hub's bodies and headers."""

import email.utils
import json
import time
from typing import Any

from aiohttp import hdrs, web

from breakout.simulation import wire
from breakout.simulation.budget import Limits, headers
from breakout.simulation.faults import (
    ErrorStatus,
    Fault,
    Html,
    Reset,
    TooManyRequests,
)

_HTML = "<!doctype html><html><head><title>Sign in</title></head><body>Please wait</body></html>"


def ok(body: object) -> web.Response:
    """Return 200 with JSON."""
    return _json(200, body)


def error(status: int, message: str, code: str | None = None) -> web.Response:
    """Return an error as the Hub words it: body, `X-Error-Message` and maybe `X-Error-Code`."""
    response = _json(status, {"error": message})
    # The message of a rejected query has several lines; a header holds one.
    response.headers["X-Error-Message"] = (
        " ".join(message.split()).encode("ascii", "ignore").decode()
    )
    if code is not None:
        response.headers["X-Error-Code"] = code
    return response


def repository_not_found() -> web.Response:
    """Return the answer for a repository that is not, or is no longer."""
    return error(404, "Repository not found", "RepoNotFound")


def private_repository() -> web.Response:
    """Return the answer for a repository the client may not see."""
    return error(401, "Invalid username or password.", "RepoNotFound")


def moved(location: str) -> web.Response:
    """Return the answer for a repository under its former name."""
    text = f"Temporary Redirect. Redirecting to {location}"
    return web.Response(status=307, text=text, headers={hdrs.LOCATION: location})


def too_many_requests(remote: str | None, budget: dict[str, str]) -> web.Response:
    """Return 429 with the headers of a spent budget."""
    message = (
        f"We had to rate limit your IP ({remote}). To continue using our service, create a HF "
        "account or login to your existing account, and make sure you pass a HF_TOKEN if you're "
        "using the API."
    )
    response = error(429, message)
    response.headers.update(budget)
    return response


def ending(request: web.Request, faults: list[Fault]) -> web.Response | None:
    """Return the answer of a fault that takes the place of the true answer, if one does."""
    for fault in faults:
        match fault:
            case ErrorStatus():
                return error(fault.status, fault.message)
            case TooManyRequests():
                return too_many_requests(request.remote, _wait(fault))
            case Html():
                return web.Response(text=_HTML, content_type="text/html")
            case Reset(when="before_headers"):
                return wire.reset(request)
    return None


def _wait(fault: TooManyRequests) -> dict[str, str]:
    match fault.wait:
        case "ratelimit":
            return headers(0, fault.seconds, Limits())
        case "seconds":
            return {hdrs.RETRY_AFTER: str(fault.seconds)}
        case "date":
            moment = time.time() + fault.seconds
            return {hdrs.RETRY_AFTER: email.utils.formatdate(moment, usegmt=True)}
        case _:
            return {}


def _json(status: int, body: Any) -> web.Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return web.Response(
        status=status, body=text.encode(), content_type="application/json", charset="utf-8"
    )
