"""Files of the API by their URLs: Polars, pandas, DuckDB's httpfs, and curl."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.server import ApiServer
from tests.foreign_clients.installed import python_client

CURL = shutil.which("curl")
URL = "/v1/downloads?by=region"


@pytest.fixture(scope="module")
def expected(api: ApiServer) -> list[tuple[str, int]]:
    rows = httpx.get(f"{api.url}{URL}", timeout=60).json()["data"]
    assert len(rows) > 100
    return [(row["group"], row["cumulative"]) for row in rows]


@pytest.fixture(scope="module")
def found(api: ApiServer) -> dict[str, Any]:
    ran = subprocess.run(
        [*python_client("read_urls.py"), api.url],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    read: dict[str, Any] = json.loads(ran.stdout)
    return read


@pytest.mark.parametrize(
    "reader",
    [
        "polars read_parquet",
        "polars read_csv",
        "polars scan_csv",
        "pandas read_csv",
        "pandas read_parquet",
        "arrow",
    ],
)
def test_reader_gets_every_row(
    found: dict[str, Any], expected: list[tuple[str, int]], reader: str
) -> None:
    assert found[reader] == [cumulative for _group, cumulative in expected]


def test_polars_filters_a_scan(found: dict[str, Any], expected: list[tuple[str, int]]) -> None:
    china = [cumulative for group, cumulative in expected if group == "china"]
    assert found["polars scan_parquet"] == china


def test_duckdb_reads_urls(found: dict[str, Any], expected: list[tuple[str, int]]) -> None:
    if isinstance(found["duckdb"], str):
        pytest.skip(f"DuckDB's httpfs cannot be had here: {found['duckdb'][:200]}")
    cumulative = [one for _group, one in expected]
    assert found["duckdb"] == [cumulative, cumulative]


@pytest.mark.parametrize("name", ["parquet", "csv"])
def test_requests_as_httpfs_sends_them(api: ApiServer, name: str) -> None:
    """DuckDB: HEAD for the length, then ranges from the end, on one connection."""
    url = f"{api.url}{URL}&format={name}"
    with httpx.Client(headers={"Accept-Encoding": ""}, timeout=60) as client:
        body = client.get(url).content
        head = client.head(url).headers
        assert head["accept-ranges"] == "bytes"
        size, parts, end = int(head["content-length"]), [], int(head["content-length"])
        assert size == len(body)
        while end:
            start = max(0, end - 4096)
            part = client.get(url, headers={"Range": f"bytes={start}-{end - 1}"})
            assert part.status_code == 206
            # It compares the tags, and fails if the file has changed.
            assert part.headers["etag"] == head["etag"]
            assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
            parts.append(part.content)
            end = start
    assert b"".join(reversed(parts)) == body


@pytest.mark.skipif(CURL is None, reason="no curl on this machine")
def test_curl_resumes_a_download(api: ApiServer, tmp_path: Path) -> None:
    url, file = f"{api.url}{URL}&format=parquet", tmp_path / "downloads.parquet"
    body = httpx.get(url, timeout=60).content
    file.write_bytes(body[: len(body) // 3])
    curl = [str(CURL), "--silent", "--show-error", "--fail"]
    subprocess.run([*curl, "--continue-at", "-", "--output", file, url], check=True, timeout=60)
    assert file.read_bytes() == body
    part = subprocess.run([*curl, "--range", "0-3", url], check=True, capture_output=True)
    assert part.stdout == b"PAR1"


@pytest.mark.skipif(CURL is None, reason="no curl on this machine")
def test_curl_reads_compressed_responses(api: ApiServer) -> None:
    url = f"{api.url}{URL}&format=csv"
    plain, compressed = (
        subprocess.run(
            [str(CURL), "--silent", "--fail", *options, url],
            check=True,
            capture_output=True,
            timeout=60,
        ).stdout
        for options in ([], ["--compressed"])
    )
    assert plain == compressed
