"""Errors as RFC 9457 problem details; what is wrong with a request names its parameter."""

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from breakout.clickhouse.errors import ClickHouseError, ClickHouseUnavailableError

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
_TOO_MUCH = frozenset({158, 396})  # TOO_MANY_ROWS, TOO_MANY_ROWS_OR_BYTES
_TOO_LONG = frozenset({159, 160})  # TIMEOUT_EXCEEDED, TOO_SLOW

log = structlog.get_logger(__name__)


class WrongParameter(BaseModel):
    """One parameter that cannot be used."""

    parameter: str
    detail: str


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str = Field(
        description="What kind of problem, as a URI reference", examples=["about:blank"]
    )
    title: str
    status: int
    detail: str
    errors: list[WrongParameter] = Field(default=[], description="Each wrong parameter")


def _schema() -> dict[str, Any]:
    # Without $defs, whose references would lead nowhere inside a description of OpenAPI.
    schema = Problem.model_json_schema()
    schema["properties"]["errors"]["items"] = schema.pop("$defs")["WrongParameter"]
    return schema


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": said, "content": {MEDIA_TYPE: {"schema": _schema()}}}
    for status, said in {
        401: "The API key is unknown",
        404: "There is no such thing",
        406: "No format there is is acceptable",
        422: "A parameter is wrong: `errors` names it",
        429: "Too many requests: `Retry-After` says when to come again",
        503: "The database does not answer now: `Retry-After` says when to come again",
        504: "The query takes too long",
    }.items()
}
"""What OpenAPI says of every operation's problems."""


class ProblemError(Exception):
    """An answer that is a problem. `errors` are wrong parameters and what would be right."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors or {}
        self.headers = headers or {}


def unavailable(detail: str, seconds: int = RETRY_SECONDS) -> ProblemError:
    """Return the problem of what passes by waiting."""
    return ProblemError(503, detail, headers={"Retry-After": str(seconds)})


def of_database(error: ClickHouseError) -> ProblemError:
    """Return the problem of a query that failed; its text stays in the log."""
    if error.code in _TOO_LONG:
        return ProblemError(504, "The query takes too long: ask for fewer models or a shorter time")
    if error.code in _TOO_MUCH:
        return ProblemError(
            422, "The answer has too many rows: ask for less, or by pages of `limit`"
        )
    if isinstance(error, ClickHouseUnavailableError):
        log.warning("ClickHouse is away", why=str(error))
        return unavailable("The database does not answer now")
    log.error("ClickHouse refused a query", why=str(error), code=error.code)
    return ProblemError(500, "The database refused the query; the server's log says why")


def response(problem: ProblemError) -> JSONResponse:
    """Return a problem as an HTTP response."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "errors": [{"parameter": k, "detail": v} for k, v in problem.errors.items()],
    }
    headers = {"Cache-Control": "no-store", **problem.headers}
    return JSONResponse(body, problem.status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every error of the app a problem."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(ClickHouseError, _database)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)  # noqa: S101 - registered for it
    return response(error)


async def _database(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ClickHouseError)  # noqa: S101 - registered for it
    return response(of_database(error))


async def _validation(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    wrong: dict[str, str] = {}
    for problem in error.errors():
        name = str(problem["loc"][1]) if len(problem["loc"]) > 1 else str(problem["loc"][0])
        said = str(problem["msg"]).removeprefix("Value error, ")
        wrong[name] = "There is no such parameter" if problem["type"] == "extra_forbidden" else said
    detail = "; ".join(f"{name}: {said}" for name, said in wrong.items())
    return response(ProblemError(422, detail, errors=wrong))


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    said = {404: _nothing_at(request), 405: "This address is only read, by GET or HEAD"}
    detail = said.get(error.status_code, str(error.detail))
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = "GET, HEAD"
    return response(ProblemError(error.status_code, detail, headers=headers))


def _nothing_at(request: Request) -> str:
    """Say that an address is none, and which one it may be."""
    meant = request.scope["path"].rstrip("/") or "/"
    scope = {**request.scope, "path": meant, "method": "GET"}
    if meant != request.scope["path"] and any(
        route.matches(dict(scope))[0] is Match.FULL for route in request.app.routes
    ):
        return f"There is nothing at this address: leave out the slash at its end, {meant}"
    return "There is nothing at this address"


async def _unexpected(_request: Request, error: Exception) -> JSONResponse:
    log.error("unexpected error", exc_info=error)
    return response(ProblemError(500, "Unexpected error; the server's log says more"))
