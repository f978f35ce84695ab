"""Valid and hostile requests: correct responses, and no server error."""

import base64
import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from api import paging
from breakout.clickhouse.client import writer_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings
from tests.api.conftest import serving
from tests.api.raw import exchange, request
from tests.api.server import ApiServer
from tests.support.embedded_servers import ClickHouseServer

DAYS = [
    "2026-W14-3",
    "2026-W14",
    "2026-091",
    "20260401",
    "2026-04",
    "0000-01-01",
    "0001-01-01",
    "1969-12-31",
    "2149-01-01",
    "9999-12-31",
    "10000-01-01",
    "2026-02-30",
    "2026-04-01\n",
    " 2026-04-01",
    "2026-04-01\0",
    "\u0662\u0660\u0662\u0666-\u0660\u0664-\u0660\u0661",
    "\uff12\uff10\uff12\uff16-04-01",
    "2026-04-0\u0661",
    "+2026-4-01",
    "2026-4-1  ",
    "",
]
INVALID_TIMESTAMPS = [
    "2026-W14-3T12:00:00Z",
    "2026-091T12:00:00Z",
    "20260401T120000Z",
    "2026-04-01T12",
    "2026-04-01T12:00:60Z",
    "2026-06-30T23:59:60Z",
    "2026-04-01T24:00:00Z",
    "2026-04-01T12:00:00+24:00",
    "2026-04-01T12:00:00 05:00",
    "2026-04-01T12:00:00+05:00:30",
    "2026-04-01T12:00:00Zulu",
    "1970-01-01T00:00:00+05:00",
    "1969-12-31T19:00:00.000Z",
    "2148-12-31T23:59:59.999-00:01",
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-01:00",
    "2262-04-12T00:00:00Z",
    "2026-04-01T12:00:00.1234567890Z",
    "\u0662\u0660\u0662\u0666-04-01T12:00:00Z",
    "2026-04-01T\uff11\uff12:00:00Z",
    "2026-04-01T12:00:00\0",
    "now",
    "0",
    "1e9",
]
VALID_TIMESTAMPS = [
    "1970-01-01",
    "1970-01-01T00:00:00Z",
    "1970-01-01T05:00:00+05:00",
    "2148-12-31",
    "2148-12-31T23:59:59.999Z",
    "2026-04-01",
    "2026-04-01T12:00",
    "2026-04-01 12:00:00",
    "2026-04-01t12:00:00.123456789z",
    "2026-04-01T12:00:00,5Z",
    "2026-04-01T12:00:00-23:59",
]


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize(
    ("path", "name"), [("/v1/downloads", "since"), ("/v1/models", "released_from")]
)
def test_invalid_day_is_rejected(api: httpx.Client, path: str, name: str, day: str) -> None:
    response = api.get(path, params={name: day})
    assert response.status_code == 422
    (wrong,) = response.json()["errors"]
    assert wrong == {
        "parameter": name,
        "detail": "must be a day, YYYY-MM-DD, from 1970 to 2148",
        "nearest": [],
    }


@pytest.mark.parametrize("as_of", [*INVALID_TIMESTAMPS, *(day for day in DAYS if day != "")])
@pytest.mark.parametrize("path", ["/v1/sources", "/badge/ram/qi/Big-300B.svg"])
def test_invalid_timestamp_is_rejected(api: httpx.Client, path: str, as_of: str) -> None:
    response = api.get(path, params={"as_of": as_of})
    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == "as_of"


@pytest.mark.parametrize("as_of", VALID_TIMESTAMPS)
@pytest.mark.parametrize("path", ["/v1/ram", "/v1/downloads", "/v1/models", "/v1/scrapes"])
def test_citation_returns_the_same_response(api: httpx.Client, path: str, as_of: str) -> None:
    response = api.get(path, params={"as_of": as_of, "limit": 2})
    assert response.status_code == 200
    cited = api.get(response.json()["self"])
    assert cited.status_code == 200
    assert cited.json() == response.json()
    assert response.headers["content-location"] == response.json()["self"]
    badge = api.get("/badge/ram/qi/Big-300B.svg", params={"as_of": as_of})
    assert badge.status_code == 200


def cursor(*content: Any) -> str:
    text = json.dumps(content[0] if len(content) == 1 else list(content))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


AS_OF = "2026-04-01T12:00:00.000Z"
LEADERBOARD = ["-20544", "arena", "text", "", "-1412.0", "big"]
INVALID_NUMBERS: list[Any] = [
    *("1_000", " 1 ", "1\n", "+1", "01", "-0", "1.0", "1e3", "", "one", "\u0663", "\uff11"),
    *("9223372036854775808", "9" * 900, "-9223372036854775809", "\ud800"),
    *(1, 1.5, True, None, [], {}),
]
INVALID_FLOATS: list[Any] = [
    *("nan", "inf", "-inf", "1e999", "1_0.0", " 1.0", "1", "Infinity", "\u0661.0", "0x1p3"),
    *("\ud800", 1.0, True, None),
]
INVALID_TEXTS: list[Any] = ["\ud800", "a\udfff", 1, None, True, ["a"]]
INVALID_CURSOR_TIMESTAMPS: list[Any] = [
    *("2026-04-01", "2026-W14-3", "2026-04-01T12:00:00Z", "2026-04-01T12:00:00.000+00:00"),
    *("1969-12-31T23:59:59.999Z", "2149-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"),
    *("0001-01-01T00:00:00.000Z", "2300-01-01T00:00:00.000Z", "\ud800", "", 0, 1.5, True, []),
]
INVALID_CONTENTS: list[Any] = [
    {},
    {"as_of": None},
    [],
    [None],
    [None, "a", "b"],
    "ab",
    12,
    1.5,
    None,
]
INVALID_CURSORS = [
    *(("/v1/ram/curves", cursor(AS_OF, "qi/Big-300B", one)) for one in INVALID_NUMBERS),
    *(("/v1/ram", cursor(AS_OF, one, "qi/Big-300B")) for one in INVALID_FLOATS),
    *(("/v1/models", cursor(AS_OF, one)) for one in INVALID_TEXTS),
    *(("/v1/models", cursor(one, "qi/Big-300B")) for one in INVALID_CURSOR_TIMESTAMPS),
    *(("/v1/models", cursor(one)) for one in INVALID_CONTENTS),
    ("/v1/leaderboards", cursor(AS_OF, *LEADERBOARD, "more")),
    ("/v1/leaderboards", cursor(AS_OF, *(f"{one}\ud800" for one in LEADERBOARD))),
    ("/v1/models", "W" + "1" * 3000),
    ("/v1/models", base64.urlsafe_b64encode(b"[" * 2900).decode()),
    ("/v1/models", base64.urlsafe_b64encode(b'[null,"\xff"]').decode()),
    *(("/v1/models", one) for one in ("\xe9", "=\0=", "a b+/")),
]


@pytest.mark.parametrize(("path", "wrong"), INVALID_CURSORS)
def test_invalid_cursor_is_rejected(api: httpx.Client, path: str, wrong: str) -> None:
    response = api.get(path, params={"cursor": wrong})
    assert response.status_code == 422, response.text
    assert [one["parameter"] for one in response.json()["errors"]] == ["cursor"]


def test_cursor_of_a_missing_row_is_valid(api: httpx.Client) -> None:
    for as_of in (None, "1970-01-01T00:00:00.000Z", "2148-12-31T23:59:59.999Z"):
        for text in ("", "\0", "\u202e", "'", "\\", "\U0001f600"):
            response = api.get("/v1/models", params={"cursor": cursor(as_of, text)})
            assert response.status_code == 200, response.text


def test_every_cursor_is_parsed_again() -> None:
    keys = [paging.greatest("g"), paging.latest("l"), paging.latest_day("d"), paging.number("n")]
    for number in (0, None, 1, 0.1, 1e-7, 1e300, 1412.0, 2**53):
        row = {"g": number, "l": "1970-01-01T00:00:00.001Z", "d": "2148-12-31", "n": 2**63 - 1}
        written = paging.cursor_of(row, keys, AS_OF)
        as_of, values = paging.read_cursor(written, keys)
        assert as_of == AS_OF
        assert float(values["after_0"]) == -float(-1 if number is None else number)


def paths(api: httpx.Client) -> list[str]:
    described = [
        path.format(org="qi", name="Big-300B") for path in api.get("/openapi.json").json()["paths"]
    ]
    return [*described, "/", "/models/qi/Big-300B", "/openapi.json", "/assets/style.css", "/news"]


def test_head_has_the_headers_of_get(api: httpx.Client) -> None:
    for path in [*paths(api), "/v1/ram/curves?format=csv", "/v1/nothing", "/v1/models?limit=0"]:
        with api.stream("GET", path) as got:
            head = api.head(path)
            assert head.status_code == got.status_code, path
            assert head.content == b""
            names = set(got.headers) - {"date"}
            assert {name: head.headers.get(name) for name in names} == {
                name: got.headers[name] for name in names
            }, path


def test_other_methods_are_not_allowed(api: httpx.Client) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "QUERY", "TRACE"):
        response = api.request(method, "/v1/models")
        assert response.status_code == 405
        assert response.headers["allow"] == "GET, HEAD, OPTIONS"


def test_options_lists_the_methods_of_every_path(api: httpx.Client) -> None:
    for path in paths(api):
        response = api.options(path)
        assert (response.status_code, response.content) == (204, b""), path
        assert response.headers["allow"] == "GET, HEAD, OPTIONS"
    unknown = api.options("/v1/nothing")
    assert unknown.status_code == unknown.json()["status"] == 404


def test_options_of_the_server_lists_the_methods(server: ApiServer) -> None:
    response = exchange(server, request("*", "Connection: close", method="OPTIONS"))
    assert response.startswith(b"HTTP/1.1 204 ")
    assert b"allow: GET, HEAD, OPTIONS\r\n" in response


def test_preflight_request_is_allowed(api: httpx.Client) -> None:
    headers = {
        "Origin": "https://example.org",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "range, x-api-key",
    }
    response = api.options("/v1/models", headers=headers)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"
    assert "range" in response.headers["access-control-allow-headers"]
    got = api.get("/v1/models?format=csv", headers={"Origin": "https://example.org"})
    exposed = got.headers["access-control-expose-headers"]
    assert {"Accept-Ranges", "Content-Range", "ETag"} <= set(exposed.split(", "))


NAMES = [
    "模型-7B",
    "e\u0301-\U0001f600",
    "a%2e;b=c",
    "a\u202eb",
    "a\nb",
    "a\0b",
    "~'\"<>&()",
    "Ω?#[",
]


@pytest.fixture(scope="module")
def odd(clickhouse: ClickHouseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An API with unusual model names, and texts that spreadsheets read as formulas."""
    settings = Settings(clickhouse_url=f"{clickhouse.url}/odd")
    migrate(settings)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with closing(writer_client(settings)) as client:
        rows = [[f"org/{name}", "org", "us", 1.5, True, at] for name in NAMES]
        rows += [[f"cell/{one}", one, "us", -1.5, True, at] for one in (*FORMULAS, *TEXTS)]
        columns = ["model_id", "org", "region", "total_params_b", "tracked", "observed_at"]
        client.insert("models_log", rows, columns)
    with (
        serving(tmp_path_factory.mktemp("odd"), settings) as server,
        httpx.Client(base_url=server.url, timeout=60) as client_,
    ):
        yield client_


FORMULAS = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\uff1d1",
]
TEXTS = ["a=1", "'=1", "1-1", ""]


@pytest.mark.parametrize("name", NAMES)
def test_model_of_any_name_has_a_path(odd: httpx.Client, name: str) -> None:
    path = f"/v1/models/org/{quote(name, safe='')}"
    response = odd.get(path)
    assert response.status_code == 200, response.text
    (row,) = response.json()["data"]
    assert row["model_id"] == f"org/{name}"
    assert re.fullmatch(r"[!-~]+", response.headers["content-location"])
    again = odd.get(response.headers["content-location"])
    assert again.json() == response.json()
    for other in (f"/badge/ram/org/{quote(name, safe='')}.svg", f"/models/org/{quote(name)}"):
        assert odd.get(other).status_code == 200


def test_csv_safe_escapes_formulas_only(odd: httpx.Client) -> None:
    def rows(**asked: str) -> dict[str, dict[str, str]]:
        text = odd.get("/v1/models", params={"format": "csv", **asked}).text
        found = csv.DictReader(io.StringIO(text, newline=""))
        return {row["model_id"].partition("/")[2]: row for row in found}

    plain, safe = rows(), rows(csv_safe="1")
    assert list(plain) == list(safe)
    for text in (*FORMULAS, *TEXTS):
        assert plain[text]["org"] == text
        assert safe[text]["org"] == ("'" if text in FORMULAS else "") + text
        # Numbers are not escaped.
        assert plain[text]["total_params_b"] == safe[text]["total_params_b"] == "-1.5"
    etags = {odd.head(f"/v1/models?format=csv&csv_safe={one}").headers["etag"] for one in (0, 1)}
    assert len(etags) == 2


def test_csv_safe_requires_csv(odd: httpx.Client) -> None:
    response = odd.get("/v1/models?csv_safe=1")
    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == "csv_safe"


def test_csv_safe_keeps_the_order(api: httpx.Client) -> None:
    for path in ("/v1/downloads", "/v1/models", "/v1/leaderboards", "/v1/inference/tokens"):
        plain, safe = (
            api.get(path, params={"format": "csv", "csv_safe": one}).text for one in ("0", "1")
        )
        assert plain == safe.replace("\"'", '"')


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("If-None-Match", "\xff"),
        ("If-None-Match", '"' * 5000),
        ("Accept", "text/csv;q=nan"),
        ("Accept", ";q=1,,;;=,*/*"),
        ("Accept", "\xff/\xff"),
        ("X-API-Key", "\xff" * 1000),
        ("Origin", "\xff"),
        ("Range", "bytes=9-1,x"),
        ("X-Forwarded-For", "\xff, 1_0.0.0.1"),
        ("Expect", "100-continue"),
        ("Upgrade", "websocket"),
    ],
)
def test_headers_cause_no_server_error(api: httpx.Client, name: str, value: str) -> None:
    headers = [(name.encode(), value.encode("latin-1"))]
    for path in ("/v1/models", "/assets/style.css", "/badge/ram/qi/Big-300B.svg", "/"):
        assert api.get(path, headers=headers).status_code < 500


@pytest.mark.parametrize(
    "path", ["/assets/%00", "/assets/" + "x" * 3000, "/assets/a%0d%0ab", "/%00", "/v1/%ff"]
)
def test_paths_cause_no_server_error(api: httpx.Client, path: str) -> None:
    assert api.get(path).status_code == 404
