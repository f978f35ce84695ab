"""Responses with the Hub's bodies and headers."""

import json
from typing import Any

from aiohttp import hdrs, web


def ok(body: object) -> web.Response:
    """Return 200 with JSON."""
    return _json(200, body)


def error(status: int, message: str, code: str | None = None) -> web.Response:
    """Return an error in the Hub's format: body, `X-Error-Message`, maybe `X-Error-Code`."""
    response = _json(status, {"error": message})
    # The message of a rejected query has several lines; a header holds one.
    response.headers["X-Error-Message"] = (
        " ".join(message.split()).encode("ascii", "ignore").decode()
    )
    if code is not None:
        response.headers["X-Error-Code"] = code
    return response


def repository_not_found() -> web.Response:
    """Return the response for a repository that does not exist, or was deleted."""
    return error(404, "Repository not found", "RepoNotFound")


def private_repository() -> web.Response:
    """Return the response for a private repository."""
    return error(401, "Invalid username or password.", "RepoNotFound")


def moved(location: str) -> web.Response:
    """Return the redirect of a renamed repository."""
    text = f"Temporary Redirect. Redirecting to {location}"
    return web.Response(status=307, text=text, headers={hdrs.LOCATION: location})


def too_many_requests(remote: str | None, budget: dict[str, str]) -> web.Response:
    """Return 429 with the headers of an exhausted budget."""
    message = (
        f"We had to rate limit your IP ({remote}). To continue using our service, create a HF "
        "account or login to your existing account, and make sure you pass a HF_TOKEN if you're "
        "using the API."
    )
    response = error(429, message)
    response.headers.update(budget)
    return response


def _json(status: int, body: Any) -> web.Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return web.Response(
        status=status, body=text.encode(), content_type="application/json", charset="utf-8"
    )
