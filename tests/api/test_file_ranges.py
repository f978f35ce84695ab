"""Files in parts: HEAD, Range, If-Range, and one file for all parts."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import httpx
import pytest

from breakout.clickhouse.client import writer_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings
from tests.api.conftest import serving
from tests.api.server import ApiServer
from tests.support.embedded_servers import ClickHouseServer

FILES = [f"/v1/models?format={name}" for name in ("csv", "parquet", "arrow")]
IDENTITY = {"Accept-Encoding": "identity"}


@pytest.fixture(scope="module")
def files(server: ApiServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60, headers=IDENTITY) as client:
        yield client


@pytest.mark.parametrize("path", FILES)
def test_head_describes_the_file(files: httpx.Client, path: str) -> None:
    head, got = files.head(path), files.get(path)
    assert head.headers["content-length"] == str(len(got.content))
    assert head.headers["accept-ranges"] == "bytes"
    assert head.headers["etag"] == got.headers["etag"]
    assert head.headers["etag"].startswith('"')
    # RFC 9110 defines Range for GET alone.
    part = files.head(path, headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.headers["content-length"]) == (200, str(len(got.content)))


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("span", ["0-0", "0-9", "3-11", "10-", "-1", "-40"])
def test_range_is_that_part_of_the_file(files: httpx.Client, path: str, span: str) -> None:
    body = files.get(path).content
    part = files.get(path, headers={"Range": f"bytes={span}"})
    first, _, last = span.partition("-")
    expected = body[int(first) : int(last) + 1 if last else None] if first else body[-int(last) :]
    assert part.status_code == 206
    assert part.content == expected
    start = int(first) if first else len(body) - int(last)
    end = start + len(expected) - 1
    assert part.headers["content-range"] == f"bytes {start}-{end}/{len(body)}"
    assert part.headers["content-length"] == str(len(expected))


def test_part_is_never_compressed(files: httpx.Client) -> None:
    path = "/v1/downloads?format=csv"
    body = files.get(path).content
    asked = {"Range": "bytes=0-2999", "Accept-Encoding": "gzip, br, zstd"}
    part = files.get(path, headers=asked)
    assert part.status_code == 206
    assert "content-encoding" not in part.headers
    assert part.content == body[:3000]


@pytest.mark.parametrize("span", ["1000000-", "1000000-1000001", "-0"])
def test_range_beyond_the_end_is_a_problem(files: httpx.Client, span: str) -> None:
    path = FILES[1]
    size = files.head(path).headers["content-length"]
    response = files.get(path, headers={"Range": f"bytes={span}"})
    assert response.status_code == response.json()["status"] == 416
    assert response.headers["content-range"] == f"bytes */{size}"


@pytest.mark.parametrize("span", ["bytes=9-1", "bytes=0-1,4-5", "lines=1-2", "bytes=x"])
def test_invalid_range_returns_the_file(files: httpx.Client, span: str) -> None:
    response = files.get(FILES[0], headers={"Range": span})
    assert response.status_code == 200
    assert response.content == files.get(FILES[0]).content


def test_json_ignores_range(files: httpx.Client) -> None:
    response = files.get("/v1/models", headers={"Range": "bytes=0-9"})
    assert response.status_code == 200
    assert response.json()["data"]
    assert "accept-ranges" not in response.headers


def test_if_range_resumes_that_file_only(files: httpx.Client) -> None:
    got = files.get(FILES[0])
    tag = got.headers["etag"]
    resumed = files.get(FILES[0], headers={"Range": "bytes=20-", "If-Range": tag})
    assert (resumed.status_code, resumed.content) == (206, got.content[20:])
    # Other bytes, a weak tag, and a date (no file has one): the complete file.
    for other in ('"other"', f"W/{tag}", "Wed, 01 Apr 2026 12:00:00 GMT"):
        complete = files.get(FILES[0], headers={"Range": "bytes=20-", "If-Range": other})
        assert (complete.status_code, complete.content) == (200, got.content)


def test_etags_of_formats_differ_and_are_stable(files: httpx.Client) -> None:
    tags = [files.head(path).headers["etag"] for path in FILES]
    assert len(set(tags)) == len(FILES)
    assert [files.head(f"{path}&limit=100").headers["etag"] for path in FILES] == tags


class World:
    """An API whose data change: `add` writes a model."""

    def __init__(self, settings: Settings, client: httpx.Client) -> None:
        self.client, self._settings, self._models = client, settings, 0

    def add(self) -> None:
        self._models += 1
        row = [f"org/{self._models}", "org", True, datetime(2026, 1, 1, tzinfo=UTC)]
        with closing(writer_client(self._settings)) as client:
            client.insert("models_log", [row], ["model_id", "org", "tracked", "observed_at"])


@pytest.fixture(scope="module")
def motion(
    clickhouse: ClickHouseServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    settings = Settings(clickhouse_url=f"{clickhouse.url}/motion")
    migrate(settings)
    with (
        serving(tmp_path_factory.mktemp("motion"), settings) as server,
        httpx.Client(base_url=server.url, timeout=60, headers=IDENTITY) as client,
    ):
        world = World(settings, client)
        world.add()
        world.add()
        yield world


@pytest.mark.parametrize("path", FILES)
def test_parts_are_of_one_file_while_data_change(motion: World, path: str) -> None:
    client = motion.client
    head = client.head(path).headers
    size, tag = int(head["content-length"]), head["etag"]
    cut = size // 2
    first = client.get(path, headers={"Range": f"bytes=0-{cut - 1}"})
    motion.add()
    second = client.get(path, headers={"Range": f"bytes={cut}-"})
    assert (first.headers["etag"], second.headers["etag"]) == (tag, tag)
    # Who begins gets the latest data, and from then on goes on with those.
    latest = client.get(path)
    assert latest.headers["etag"] != tag
    rest = client.get(path, headers={"Range": "bytes=5-"})
    assert rest.content == latest.content[5:]
    # What was of the former file is not continued with another.
    asked = {"Range": f"bytes={cut}-", "If-Range": tag}
    assert client.get(path, headers=asked).content == latest.content


def test_reading_from_the_end_begins_anew(motion: World) -> None:
    """Polars reads Parquet without HEAD: its end first."""
    client = motion.client
    before = client.get(FILES[1], headers={"Range": "bytes=-100"}).headers["etag"]
    motion.add()
    assert client.get(FILES[1], headers={"Range": "bytes=4-99"}).headers["etag"] == before
    after = client.get(FILES[1], headers={"Range": "bytes=-100"}).headers["etag"]
    assert after != before


def test_other_addresses_have_other_files(motion: World) -> None:
    client = motion.client
    parts = [
        client.get(f"{FILES[0]}&{query}", headers={"Range": "bytes=0-4000"}).content
        for query in ("model=org/1", "model=org/2")
    ]
    assert b"org/1" in parts[0]
    assert b"org/2" in parts[1]
