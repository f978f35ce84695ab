"""The Python client with a running API."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pyarrow as pa
import pytest

from breakout.client import Breakout, BreakoutError, Result
from tests.api.server import ApiServer
from tests.breakout.clickhouse.charts import seeds
from tests.support.server_process import free_port


@pytest.fixture
def breakout(server: ApiServer) -> Iterator[Breakout]:
    with Breakout(server.url) as client:
        yield client


def test_downloads_of_a_model(breakout: Breakout) -> None:
    table = breakout.downloads("qi/Big-300B", since=date(2026, 2, 1)).table
    series = seeds.grid()["qi/Big-300B"]
    assert dict(
        zip(*(table[name].to_pylist() for name in ("period", "cumulative")), strict=True)
    ) == {day: count for day, count in series.items() if day >= date(2026, 2, 1)}


def test_result_states_as_of_and_the_url_that_returns_it_again(breakout: Breakout) -> None:
    result = breakout.downloads(by="region", interval="month")
    assert result.as_of == "2026-04-01T12:00:00.000Z"
    response = httpx.get(result.url, headers={"Accept": "application/vnd.apache.arrow.stream"})
    assert pa.ipc.open_stream(response.content).read_all().equals(result.table)


def test_every_operation_is_a_method(server: ApiServer, breakout: Breakout) -> None:
    description = httpx.get(f"{server.url}/openapi.json").json()
    operations = {
        method["operationId"]: path
        for path, methods in description["paths"].items()
        if path.startswith("/v1/")
        for method in methods.values()
    }
    for name, path in operations.items():
        asked = ["qi/Big-300B"] if "{" in path else []
        result = getattr(breakout, name)(*asked)
        assert isinstance(result, Result), name
        row = description["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
        (example,) = row["example"]["data"]
        assert result.column_names == list(example), name


def test_lists_and_flags(breakout: Breakout) -> None:
    found = breakout.models(org=["qi", "am"], tracked=True)
    expected = [m for m, (org, *_, tracked) in seeds.MODELS.items() if org in "qi am" and tracked]
    assert found["model_id"].to_pylist() == sorted(expected)


def test_models_are_positional_or_named(breakout: Breakout) -> None:
    one, other = "qi/Big-300B", "am/Huge-400B"
    assert (
        breakout.models(one, other).to_pylist() == breakout.models(model=[one, other]).to_pylist()
    )
    assert breakout.models(one, model=other)["model_id"].to_pylist() == [other, one]


def test_error_names_invalid_parameters(breakout: Breakout) -> None:
    with pytest.raises(BreakoutError, match="as_of") as caught:
        breakout.models(limit=0, as_of="yesterday")
    assert caught.value.status == 422
    assert set(caught.value.errors) == {"limit", "as_of"}
    with pytest.raises(TypeError, match="limti"):
        breakout.models(limti=3)  # type: ignore[call-arg]
    with pytest.raises(BreakoutError, match="qi/none") as caught:
        breakout.model("qi/none")
    assert caught.value.status == 404


def test_monthly_downloads_of_organisations_by_size_bin_are_one_line(breakout: Breakout) -> None:
    frame = breakout.downloads(
        org=["qi", "am"], by=["org", "size_bin"], interval="month", as_of=date(2026, 3, 15)
    ).to_pandas()
    pairs = {(seeds.MODELS[one][0], seeds.MODELS[one][2]) for one in ("qi/Big-300B", "am/Tiny-1B")}
    found = set(zip(frame["org"], frame["size_bin"], strict=True))
    assert found > pairs
    assert set(frame["org"]) == {"qi", "am"}
    assert set(frame["period"].dt.strftime("%Y-%m-%d")) == {
        "2026-01-01",
        "2026-02-01",
        "2026-03-01",
    }
    assert frame.attrs["as_of"] == "2026-03-15T23:59:59.999Z"


def test_result_has_the_citation_of_the_response(breakout: Breakout, api: httpx.Client) -> None:
    result = breakout.ram_curves(limit=1)
    page = api.get("/v1/ram/curves", params={"limit": 1, "as_of": result.as_of}).json()
    assert page["as_of"] == result.as_of
    assert f"as of {result.as_of}" in result.citation
    assert result.bibtex.startswith("@misc{breakout-")
    assert "\n" not in result.bibtex


@pytest.mark.parametrize(
    ("operation", "parameters", "name", "nearest"),
    [
        ("downloads", {"size_bin": "7B"}, "size_bin", "7-9B"),
        ("ram", {"org": "QI"}, "org", "qi"),
        ("ram", {"model": "qi/Big-300"}, "model", "qi/Big-300B"),
        ("downloads", {"interval": "months"}, "interval", "month"),
    ],
)
def test_error_names_the_parameter_and_the_nearest_values(
    breakout: Breakout, operation: str, parameters: dict[str, str], name: str, nearest: str
) -> None:
    with pytest.raises(BreakoutError, match=name) as caught:
        getattr(breakout, operation)(**parameters)
    assert nearest in caught.value.errors[name]
    assert nearest in str(caught.value)


def test_unreachable_server_is_an_error() -> None:
    with (
        Breakout(f"http://127.0.0.1:{free_port()}", tries=2) as client,
        pytest.raises(BreakoutError, match="does not respond"),
    ):
        client.sources()


def test_client_retries_after_retry_after(server: ApiServer) -> None:
    asked: list[str] = []

    class Busy(BaseHTTPRequestHandler):
        """Responds 429, 503, then redirects to the API."""

        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response({1: 429, 2: 503}.get(len(asked), 307))
            self.send_header("Retry-After", "0")
            self.send_header("Location", server.url + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as busy:
        thread = threading.Thread(target=busy.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{busy.server_port}"
            with Breakout(url) as client:
                assert client.organisations().num_rows == 4
            assert len(asked) == 3
            asked.clear()
            with Breakout(url, tries=2) as client, pytest.raises(BreakoutError, match="503"):
                client.organisations()
        finally:
            busy.shutdown()
            thread.join()


def test_client_imports_only_what_it_declares() -> None:
    code = (
        "import sys, httpx, pyarrow, tenacity; own = set(sys.modules)\n"
        "import breakout.client\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - own}\n"
        "print(*sorted(new - sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["breakout"]
