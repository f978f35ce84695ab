"""The error of the client, made from a problem response of the API."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

_TRANSIENT_STATUSES = frozenset({429, 503})


class BreakoutError(RuntimeError):
    """The API rejected a request or did not respond.

    `status` is the HTTP status, None without a response; `errors` maps each invalid parameter to
    what is wrong with it, with the nearest valid values; `retry_after` is how many seconds the API
    asked to wait, if it did.
    """

    def __init__(
        self,
        message: str,
        status: int | None = None,
        errors: Mapping[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.errors = dict(errors or {})
        self.retry_after = retry_after


def error_of(response: httpx.Response) -> BreakoutError:
    """Return the error of a response that is not a success."""
    status, errors, detail = response.status_code, {}, response.reason_phrase
    if response.headers.get("Content-Type", "").startswith("application/problem+json"):
        problem = response.json()
        detail = problem["detail"]
        errors = {error["parameter"]: error["detail"] for error in problem["errors"]}
    return BreakoutError(f"{status}: {detail}", status, errors, _retry_after(response))


def is_transient(error: BaseException) -> bool:
    """Return whether a retry may succeed: 429, 503, or no response."""
    return isinstance(error, BreakoutError) and (
        error.status is None or error.status in _TRANSIENT_STATUSES
    )


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds of the Retry-After header, which is a number or a date."""
    value = response.headers.get("Retry-After", "")
    try:
        return float(value)
    except ValueError:
        pass
    try:
        return (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except ValueError:
        return None
