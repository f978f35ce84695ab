"""Errors as RFC 9457 problem details, which name each invalid parameter."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from api.options_requests import METHODS, has_route
from api.query_model import query_model
from breakout.clickhouse.errors import ClickHouseError, ClickHouseUnavailableError
from breakout.core.sizes import size_bin
from breakout.nearest import nearest, unknown

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
_TOO_MUCH = frozenset({158, 396})  # TOO_MANY_ROWS, TOO_MANY_ROWS_OR_BYTES
_TOO_LONG = frozenset({159, 160})  # TIMEOUT_EXCEEDED, TOO_SLOW
_CLOSED_SETS = frozenset({"literal_error", "enum"})
_QUOTED = re.compile(r"'([^']*)'")
"""A valid value in pydantic's messages."""
_SIZE = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,3})?) ?[Bb]?", re.ASCII)
"""Billions of parameters."""

log = structlog.get_logger(__name__)


class InvalidParameter(BaseModel):
    """An invalid parameter, and why."""

    parameter: str
    detail: str
    nearest: list[str] = Field(
        default=[], description="Valid values nearest to an unknown one, the most similar first"
    )


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str = Field(description="Kind of problem, as a URI reference", examples=["about:blank"])
    title: str
    status: int
    detail: str
    errors: list[InvalidParameter] = Field(
        default=[], description="One entry per invalid parameter"
    )


REFERENCE = "#/components/schemas/{model}"
"""Of a model in the OpenAPI description."""


def described(text: str) -> dict[str, Any]:
    """Return the OpenAPI description of a problem response."""
    schema = {"$ref": REFERENCE.format(model=Problem.__name__)}
    return {"description": text, "content": {MEDIA_TYPE: {"schema": schema}}}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: described(text)
    for status, text in {
        401: "Unknown API key",
        404: "Not found",
        406: "None of the available formats is acceptable",
        422: "Invalid parameter, named in `errors`; or the response would be too large",
        429: "Over a limit: retry after `Retry-After` seconds",
        503: "The database is unavailable or busy: retry after `Retry-After` seconds",
        504: "The query timed out",
    }.items()
}
"""OpenAPI's error responses, the same for all operations."""


class ProblemError(Exception):
    """A problem response.

    `errors` maps invalid parameters to what a valid value is, `nearest` to values like the given.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: dict[str, str] | None = None,
        nearest: Mapping[str, Sequence[str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors or {}
        self.nearest = nearest or {}
        self.headers = headers or {}


def parameter_problem(name: str, detail: str, status: int = 422) -> ProblemError:
    """Return the problem of one invalid parameter or header."""
    return ProblemError(status, f"{name}: {detail}", errors={name: detail})


def unavailable(detail: str, seconds: int = RETRY_SECONDS) -> ProblemError:
    """Return a 503 problem that asks to retry after `seconds`."""
    return ProblemError(503, detail, headers={"Retry-After": str(seconds)})


def database_problem(error: ClickHouseError) -> ProblemError:
    """Return the problem of a failed query. ClickHouse's own message goes to the log alone."""
    if error.code in _TOO_LONG:
        return ProblemError(504, "The query timed out: request fewer models or a shorter period")
    if error.code in _TOO_MUCH:
        return ProblemError(422, "Too many rows: narrow the filters, or set `limit` to get pages")
    if isinstance(error, ClickHouseUnavailableError):
        log.warning("ClickHouse is unavailable", why=str(error))
        return unavailable("The database is unavailable")
    log.error("ClickHouse rejected a query", why=str(error), code=error.code)
    return ProblemError(500, "The database rejected the query; see the server's log")


def response(problem: ProblemError) -> JSONResponse:
    """Return a problem as an HTTP response."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "errors": [
            {"parameter": name, "detail": detail, "nearest": list(problem.nearest.get(name, ()))}
            for name, detail in problem.errors.items()
        ],
    }
    headers = {"Cache-Control": "no-store", **problem.headers}
    return JSONResponse(body, problem.status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Turn every error of the app into a problem response."""
    for kind in (ProblemError, ClickHouseError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, _handle)


async def _handle(request: Request, error: Exception) -> JSONResponse:
    match error:
        case ProblemError():
            return response(error)
        case ClickHouseError():
            return response(database_problem(error))
        case RequestValidationError():
            return response(_validation_problem(request, error))
        case HTTPException():
            return response(_http_problem(request, error))
    log.error("unexpected error", exc_info=error)
    return response(ProblemError(500, "Unexpected error; see the server's log"))


def _validation_problem(request: Request, error: RequestValidationError) -> ProblemError:
    details: dict[str, str] = {}
    near: dict[str, list[str]] = {}
    for item in error.errors():
        name = str(item["loc"][1]) if len(item["loc"]) > 1 else str(item["loc"][0])
        message = str(item["msg"]).removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            model = query_model(request.scope["endpoint"])
            known = list(model.model_fields) if model else []
            near[name] = nearest(name, known)
            message = unknown("parameter", name, near[name], known)
        elif item["type"] in _CLOSED_SETS and isinstance(item["input"], str):
            choices = _QUOTED.findall(item["ctx"]["expected"])
            near[name] = _nearest_choices(item["input"], choices)
            message = unknown("value", item["input"], near[name], choices)
        details[name] = f"{details[name]}; {message}" if name in details else message
    detail = "; ".join(f"{name}: {message}" for name, message in details.items())
    return ProblemError(422, detail, errors=details, nearest=near)


def _nearest_choices(value: str, choices: list[str]) -> list[str]:
    """Return the choices nearest to a value; to a size like `8B`, the size bin that has it."""
    if size := _SIZE.fullmatch(value):
        found = size_bin(float(size[1]))
        if found in choices:
            return [found]
    return nearest(value, choices)


def _http_problem(request: Request, error: HTTPException) -> ProblemError:
    headers, detail = dict(error.headers or {}), str(error.detail)
    if error.status_code == HTTPStatus.NOT_FOUND:
        detail = _not_found(request)
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = METHODS
        detail = "Method not allowed: use GET or HEAD"
    return ProblemError(error.status_code, detail, headers=headers)


def _not_found(request: Request) -> str:
    """Return the detail of a 404, with the path that was probably meant."""
    path = request.scope["path"].rstrip("/") or "/"
    if path != request.scope["path"] and has_route(request.scope, path):
        return f"No such path: remove the trailing slash, {path}"
    # By spelling alone: to `breakout.nearest` every path begins with /v1, and so resembles it.
    close = get_close_matches(path, request.app.openapi()["paths"], n=1, cutoff=0.6)
    hint = f"the nearest is {close[0]}; " if close else ""
    return f"No such path: {hint}/v1 lists those of the API"
