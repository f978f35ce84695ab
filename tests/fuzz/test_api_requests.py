"""Random API requests: invalid ones are rejected, and none is a server error."""

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import strategies as st

from api.app import create_app
from breakout.clickhouse.client import writer_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings
from tests.api.conftest import serving
from tests.breakout.cli.seed import insert
from tests.breakout.clickhouse.charts import seeds
from tests.fuzz.effort import efforts, explore
from tests.support.embedded_servers import running_clickhouse

DESCRIBED = create_app(Settings()).openapi()["paths"]
OPERATIONS = {
    path: [one["name"] for one in methods["get"].get("parameters", []) if one["in"] == "query"]
    for path, methods in DESCRIBED.items()
    if "parameters" in methods["get"]
}
TIMES = [
    *("2026-W14-3", "2026-W14", "2026-091", "20260401", "0000-01-01", "0001-01-01", "10000-01-01"),
    *("1970-01-01", "1969-12-31", "2148-12-31", "2149-06-06", "2149-06-07", "2026-02-30", "now"),
    *("2026-04-01", "2026-04-01T12:00:60Z", "2026-06-30T23:59:60Z", "2026-04-01T24:00:00Z"),
    *("1970-01-01T00:00:00+05:00", "2148-12-31T23:59:59-05:00", "9999-12-31T23:59:59-23:59"),
    *("0001-01-01T00:00:00+23:59", "2026-04-01T12:00:00.999999999Z", "2026-04-01T12:00"),
    *("\u0662\u0660\u0662\u0666-04-01", "\uff12026-04-01", "2026-04-01T12:00:00Z\0"),
    *("1970-01-01T00:00:00Z", "2262-04-11T23:47:16.854Z", "2299-12-31", "2300-01-01T00:00:00Z"),
]
NUMBERS = [
    *("0", "-0", "-1", "1", "365", "366", "1e3", "1e999", "nan", "inf", "-inf", "0x10", "1_000"),
    *(" 1 ", "+1", "01", "1.0", "1.5", "9" * 40, str(2**63), str(2**64), "\u0663", "true", ""),
]
TEXTS = [
    *("", "\0", "\n", "\r\nX: y", "\x7f", "\x9b", "\u202e", "\ud7ff", "\ufffe", "\U0001f600"),
    *("'", "\\", "`", "{a:String}", "%", "%00", "%zz", "\\N", "[]", "['a']", "NULL", "x" * 201),
    *("live", "live_fixed", "live_cutoff", "model", "json", "csv", "parquet", "arrow", "day"),
]


def cursors() -> st.SearchStrategy[str]:
    part: st.SearchStrategy[Any] = st.one_of(
        st.sampled_from([*TIMES, *NUMBERS, *TEXTS, "\ud800", None, True, 1, 1.5, 2**70, [], {}]),
        st.text(max_size=8),
        st.integers().map(str),
        st.floats().map(repr),
    )
    written = st.lists(part, max_size=8).map(
        lambda parts: base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")
    )
    return written | st.text(max_size=20)


def values() -> st.SearchStrategy[str]:
    return st.one_of(
        st.sampled_from(TIMES),
        st.sampled_from(NUMBERS),
        st.sampled_from(TEXTS),
        st.text(max_size=12),
        st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
    )


def requests(path: str) -> st.SearchStrategy[str]:
    def asked(name: str) -> st.SearchStrategy[tuple[str, str]]:
        return (cursors() if name == "cursor" else values()).map(lambda value: (name, value))

    part = values().map(lambda value: quote(value, safe=""))
    query = st.lists(st.sampled_from(OPERATIONS[path]).flatmap(asked), max_size=3)
    return st.builds(
        lambda org, name, given: f"{path.format(org=org, name=name)}?{urlencode(given)}",
        part,
        part,
        query,
    )


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("api")
    with running_clickhouse(folder) as clickhouse:
        settings = Settings(clickhouse_url=f"{clickhouse.url}/breakout")
        migrate(settings)
        with closing(writer_client(settings)) as client:
            for table, rows in seeds.rows().items():
                insert(client, table, *rows)
        with (
            serving(folder, settings, BREAKOUT_API_FRESH_SECONDS="3600") as server,
            httpx.Client(base_url=server.url, timeout=120) as asking,
        ):
            yield asking
            assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("path", OPERATIONS)
@efforts
def test_requests_cause_no_server_error(api: httpx.Client, path: str, effort: int) -> None:
    def check(asked: str) -> None:
        response = api.get(asked)
        assert response.status_code in {200, 404, 406, 422}, (asked, response.text)
        if response.status_code == 422:
            assert response.json()["detail"]
        if "content-location" in response.headers:
            assert api.get(response.headers["content-location"]).status_code == 200, asked

    explore(requests(path), check, examples=12, effort=effort)


@efforts
def test_paths_cause_no_server_error(api: httpx.Client, effort: int) -> None:
    roots = ("/", "/v1/", "/v1/models/", "/badge/ram/", "/models/", "/assets/", "/openapi.json/")

    def check(drawn: tuple[str, str, str]) -> None:
        method, root, rest = drawn
        response = api.request(method, f"{root}{quote(rest, safe='/')}")
        assert response.status_code in {200, 204, 404, 405, 422}, (drawn, response.text)

    methods = st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "DELETE"])
    parts = st.lists(values(), max_size=3).map("/".join)
    explore(st.tuples(methods, st.sampled_from(roots), parts), check, examples=40, effort=effort)
