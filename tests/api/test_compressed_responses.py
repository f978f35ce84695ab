"""Compressed responses: what is compressed, and what that means for ETags."""

import json
from typing import Any

import httpx
import pytest

from api.compression import CACHED_BYTES, CompressedBodies, CompressionMiddleware
from api.encodings import Encoding
from tests.api.conftest import ROWS
from tests.api.decoding import decoded
from tests.api.server import ApiServer

ENCODINGS = [str(encoding) for encoding in Encoding]
COMPRESSED = ["/v1/models", "/v1/downloads?format=csv", "/openapi.json", "/", "/assets/style.css"]


def raw(server: ApiServer, path: str, **headers: str) -> tuple[httpx.Response, bytes]:
    """Return a response and its body as it was sent."""
    asked = {"Accept-Encoding": "identity", **headers}
    with httpx.stream("GET", server.url + path, headers=asked, timeout=120) as response:
        return response, b"".join(response.iter_raw())


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("path", COMPRESSED)
def test_text_is_compressed(server: ApiServer, path: str, encoding: str) -> None:
    plain, body = raw(server, path)
    response, compressed = raw(server, path, **{"Accept-Encoding": encoding})
    assert response.headers["content-encoding"] == encoding
    assert "content-encoding" not in plain.headers
    assert len(compressed) < len(body) / 2
    assert decoded(encoding, compressed) == body
    for one in (plain, response):
        assert "accept-encoding" in one.headers["vary"].lower()
    length = response.headers.get("content-length")
    assert length in {None, str(len(compressed))}


@pytest.mark.parametrize("path", ["/v1/models?format=parquet", "/v1/models?format=arrow"])
def test_compressed_formats_are_not_compressed_again(server: ApiServer, path: str) -> None:
    response, body = raw(server, path, **{"Accept-Encoding": "gzip, br, zstd"})
    assert "content-encoding" not in response.headers
    assert response.headers["content-length"] == str(len(body))


def test_small_bodies_stay_as_they_are(server: ApiServer) -> None:
    response, _body = raw(server, "/v1/nothing", **{"Accept-Encoding": "gzip"})
    assert "content-encoding" not in response.headers
    assert "accept-encoding" in response.headers["vary"].lower()


def test_events_are_not_compressed(server: ApiServer) -> None:
    headers = {"Accept-Encoding": "gzip, br, zstd"}
    with httpx.stream("GET", f"{server.url}/news", headers=headers, timeout=60) as response:
        assert "content-encoding" not in response.headers
        assert next(response.iter_raw()).startswith(b"data:")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("path", COMPRESSED[:2] + COMPRESSED[-1:])
def test_any_encoding_of_known_figures_is_not_modified(
    server: ApiServer, path: str, encoding: str
) -> None:
    """A browser and a program behind one cache know different encodings of one response."""
    tags = [
        raw(server, path, **{"Accept-Encoding": one})[0].headers["etag"]
        for one in ("identity", encoding)
    ]
    for tag in tags:
        for accepted in ("identity", encoding):
            headers = {"Accept-Encoding": accepted, "If-None-Match": tag}
            response, body = raw(server, path, **headers)
            assert (response.status_code, body) == (304, b"")
            assert "accept-encoding" in response.headers["vary"].lower()


def test_compressed_file_has_a_weak_tag(server: ApiServer) -> None:
    """Its bytes are not those that Range counts."""
    path = "/v1/downloads?format=csv"
    plain, _body = raw(server, path)
    response, _body = raw(server, path, **{"Accept-Encoding": "gzip"})
    assert response.headers["etag"] == f"W/{plain.headers['etag']}"
    assert plain.headers["accept-ranges"] == "bytes"
    assert "accept-ranges" not in response.headers


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("params", ["format=csv", "format=json&limit=100000"])
def test_large_response_is_compressed_as_it_is_sent(
    large: ApiServer, params: str, encoding: str
) -> None:
    path = f"/v1/ram/curves?{params}"
    response, compressed = raw(large, path, **{"Accept-Encoding": encoding})
    assert response.headers["content-encoding"] == encoding
    assert "content-length" not in response.headers
    body = decoded(encoding, compressed)
    assert len(compressed) < len(body) / 4
    assert body.count(b"\n") == (ROWS + 1 if "csv" in params else 100_000 + 2)


async def through(body: list[bytes], *headers: tuple[bytes, bytes], accept: str = "gzip") -> Any:
    """Return the messages of a response that passed the middleware."""
    sent: list[Any] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
        for number, chunk in enumerate(body, 1):
            more = number < len(body)
            await send({"type": "http.response.body", "body": chunk, "more_body": more})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "headers": [(b"accept-encoding", accept.encode())]}
    await CompressionMiddleware(app)(scope, None, send)  # type: ignore[arg-type]
    return sent


async def test_encoded_response_is_not_encoded_again() -> None:
    kind = (b"content-type", b"text/css")
    sent = await through([b"x" * 5000], kind, (b"content-encoding", b"br"))
    assert [one.get("body") for one in sent] == [None, b"x" * 5000]


async def test_response_that_ends_without_a_last_chunk_is_complete() -> None:
    kind = (b"content-type", b"text/csv")
    start, *rest = await through([b"a" * 3000, b"b" * 3000, b""], kind)
    assert (b"content-encoding", b"gzip") in start["headers"]
    assert decoded("gzip", b"".join(one["body"] for one in rest)) == b"a" * 3000 + b"b" * 3000
    assert [one["more_body"] for one in rest][-1] is False


async def test_equal_bodies_are_compressed_once() -> None:
    bodies = CompressedBodies()
    first = await bodies.get(Encoding.GZIP, b"a" * 2000)
    assert await bodies.get(Encoding.GZIP, b"a" * 1000 + b"a" * 1000) is first
    assert await bodies.get(Encoding.ZSTD, b"a" * 2000) != first


async def test_cache_of_bodies_is_bounded() -> None:
    bodies = CompressedBodies()
    for number in range(40):
        await bodies.get(Encoding.ZSTD, json.dumps(number).encode() * 400_000)
    assert 0 < bodies._size <= CACHED_BYTES
    kept = sum(len(key[1]) + len(value) for key, value in bodies._bodies.items())
    assert kept == bodies._size
