"""Every fault does what its documentation says."""

import asyncio
import email.utils
import gzip
import json
import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from breakout.simulation import SimulatedClock
from tests.breakout.simulation.conftest import small_catalog
from tests.support.faulty_hub.faults import (
    CursorLoop,
    Drip,
    Duplicates,
    EmptyList,
    ErrorStatus,
    ExtraFields,
    Gzip,
    Html,
    MissingFields,
    RepeatedCursor,
    Reset,
    Stalled,
    TooManyRequests,
    Truncated,
    Vanished,
    WrongValues,
)
from tests.support.faulty_hub.hub import FaultyHub

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LIST = "/api/models?author=acorn&limit=3&sort=createdAt&expand[]=downloads&expand[]=likes"


@pytest.fixture
async def hub() -> AsyncIterator[FaultyHub]:
    async with FaultyHub(small_catalog(), clock=SimulatedClock(NOW)) as running:
        yield running


@pytest.fixture
async def http(hub: FaultyHub) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=hub.url, timeout=10, verify=False) as client:
        yield client


async def raw(hub: FaultyHub, *, most: int | None = None) -> tuple[bytes, bytes]:
    """Return head and body as they come over the wire, until the connection ends or `most`."""
    host, port = hub.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"GET {LIST} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    body = b""
    while most is None or len(body) < most:
        chunk = await reader.read(4096)
        if not chunk:
            break
        body += chunk
    writer.close()
    return head, body


async def pages(http: httpx.AsyncClient, most: int) -> list[list[str]]:
    found: list[list[str]] = []
    url = LIST
    while url and len(found) < most:
        response = await http.get(url)
        found.append([row["id"].removeprefix("acorn/tiny-") for row in response.json()])
        url = response.links.get("next", {}).get("url", "")
    return found


@pytest.mark.parametrize("status", [500, 502, 503, 404])
async def test_error_status_affects_times_requests(
    hub: FaultyHub, http: httpx.AsyncClient, status: int
) -> None:
    hub.faults.add(ErrorStatus(status=status, times=2, after=1))
    responses = [await http.get(LIST) for _ in range(5)]
    assert [response.status_code for response in responses] == [200, status, status, 200, 200]
    assert "error" in responses[1].json()
    assert [received.status for received in hub.requests] == [200, status, status, 200, 200]


async def test_error_status_affects_every_matching_request(
    hub: FaultyHub, http: httpx.AsyncClient
) -> None:
    hub.faults.add(ErrorStatus(match="tiny-1B"))
    for _ in range(3):
        assert (await http.get("/api/models/acorn/tiny-1B")).status_code == 503
        assert (await http.get("/api/models/acorn/tiny-2B")).status_code == 200
    hub.faults.clear()
    assert (await http.get("/api/models/acorn/tiny-1B")).status_code == 200


async def test_fault_may_affect_tracked_list(hub: FaultyHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(ErrorStatus(match="^/lists/models"))
    assert (await http.get("/lists/models.csv")).status_code == 503
    assert (await http.get("/lists/extra_models.csv")).status_code == 200
    assert (await http.get(LIST)).status_code == 200


async def test_replacing_faults_affect_one_request_each(
    hub: FaultyHub, http: httpx.AsyncClient
) -> None:
    hub.faults.add(ErrorStatus(status=500, times=1), TooManyRequests(times=1), Html(times=1))
    responses = [await http.get(LIST) for _ in range(4)]
    assert [response.status_code for response in responses] == [500, 429, 200, 200]
    assert responses[2].headers["Content-Type"].startswith("text/html")
    assert "<html>" in responses[2].text
    assert len(responses[3].json()) == 3
    assert hub.faults.active() == []


async def test_too_many_requests_sends_wait_in_each_header(
    hub: FaultyHub, http: httpx.AsyncClient
) -> None:
    hub.faults.add(
        TooManyRequests(wait="ratelimit", seconds=55, times=1),
        TooManyRequests(wait="seconds", seconds=7, times=1),
        TooManyRequests(wait="date", seconds=3600, times=1),
        TooManyRequests(wait="none", times=1),
    )
    budget, seconds, date, nothing = [await http.get(LIST) for _ in range(4)]
    assert {a.status_code for a in (budget, seconds, date, nothing)} == {429}
    assert budget.headers["RateLimit"] == '"api";r=0;t=55'
    assert budget.headers["RateLimit-Policy"] == '"fixed window";"api";q=500;w=300'
    assert "Retry-After" not in budget.headers
    assert seconds.headers["Retry-After"] == "7"
    wait = email.utils.parsedate_to_datetime(date.headers["Retry-After"]) - datetime.now(UTC)
    assert timedelta(minutes=50) < wait <= timedelta(hours=1)
    assert "Retry-After" not in nothing.headers


async def test_reset_before_headers_sends_rst(hub: FaultyHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(Reset(times=1))
    with pytest.raises(ConnectionResetError):
        await raw(hub)
    assert (await http.get(LIST)).status_code == 200
    assert [received.status for received in hub.requests] == [None, 200]


async def test_reset_after_headers_sends_headers_first(hub: FaultyHub) -> None:
    hub.faults.add(Reset(when="after_headers", times=1))
    host, port = hub.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {LIST} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


async def test_truncated_body_with_own_length_is_invalid_json(
    hub: FaultyHub, http: httpx.AsyncClient
) -> None:
    whole = (await http.get(LIST)).content
    hub.faults.add(Truncated(framing="complete"))
    cut = await http.get(LIST)
    assert cut.content == whole[: len(whole) // 2]
    assert int(cut.headers["Content-Length"]) == len(cut.content)
    with pytest.raises(json.JSONDecodeError):
        cut.json()


async def test_truncated_body_is_shorter_than_content_length(
    hub: FaultyHub, http: httpx.AsyncClient
) -> None:
    whole = (await http.get(LIST)).content
    hub.faults.add(Truncated(framing="content_length"))
    head, body = await raw(hub)
    assert f"content-length: {len(whole)}\r\n".encode() in head.lower()
    assert body == whole[: len(whole) // 2]
    with pytest.raises(httpx.RemoteProtocolError):
        await http.get(LIST)


async def test_truncated_chunked_body_lacks_last_chunk(
    hub: FaultyHub, http: httpx.AsyncClient
) -> None:
    whole = (await http.get(LIST)).content
    hub.faults.add(Truncated(framing="chunked"))
    head, body = await raw(hub)
    assert b"transfer-encoding: chunked" in head.lower()
    assert b"content-length" not in head.lower()
    assert whole[: len(whole) // 2] in body
    assert not body.endswith(b"0\r\n\r\n")
    with pytest.raises(httpx.RemoteProtocolError):
        await http.get(LIST)


async def test_stalled_response_has_headers_only(hub: FaultyHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(Stalled(times=1))
    async with http.stream("GET", LIST, timeout=httpx.Timeout(10, read=0.3)) as response:
        assert response.status_code == 200
        assert int(response.headers["Content-Length"]) > 0
        with pytest.raises(httpx.ReadTimeout):
            await response.aread()
    assert (await http.get(LIST)).status_code == 200


async def test_hub_stops_during_stalled_request(hub: FaultyHub) -> None:
    hub.faults.add(Stalled())
    host, port = hub.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {LIST} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    await hub.__aexit__(None, None, None)
    assert await reader.read() == b""
    writer.close()


async def test_drip_sends_complete_body_in_pieces(hub: FaultyHub, http: httpx.AsyncClient) -> None:
    whole = (await http.get(LIST)).content
    hub.faults.add(Drip(bytes_each=50, seconds_between=0.01))
    async with http.stream("GET", LIST) as response:
        pieces = [piece async for piece in response.aiter_raw()]
    assert b"".join(pieces) == whole
    assert len(pieces) > 1


async def test_gzip_only_for_clients_that_accept_it(
    hub: FaultyHub, http: httpx.AsyncClient
) -> None:
    whole = (await http.get(LIST)).content
    hub.faults.add(Gzip())
    async with http.stream("GET", LIST) as response:
        compressed = b"".join([piece async for piece in response.aiter_raw()])
    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(compressed) == whole
    assert (await http.get(LIST)).content == whole
    plain = await http.get(LIST, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.content == whole


async def test_corrupt_gzip_fails_to_decode(hub: FaultyHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(Gzip(corrupt=True))
    with pytest.raises(httpx.DecodingError):
        await http.get(LIST)


async def test_gzip_combines_with_truncation(hub: FaultyHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(Gzip(), Truncated(framing="content_length"))
    with pytest.raises(httpx.RemoteProtocolError):
        await http.get(LIST)


async def test_repeated_cursor_returns_same_page(hub: FaultyHub, http: httpx.AsyncClient) -> None:
    assert await pages(http, 5) == [["7B", "6B", "5B"], ["4B", "3B", "2B"], ["1B"]]
    hub.faults.add(RepeatedCursor(after=1))
    first = await http.get(LIST)
    second = await http.get(first.links["next"]["url"])
    assert second.links["next"]["url"] == first.links["next"]["url"]
    hub.faults.clear()
    hub.faults.add(RepeatedCursor())
    assert await pages(http, 3) == [["7B", "6B", "5B"]] * 3


async def test_cursor_loop_alternates_two_pages(hub: FaultyHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(CursorLoop())
    assert await pages(http, 5) == [
        ["7B", "6B", "5B"],
        ["4B", "3B", "2B"],
        ["7B", "6B", "5B"],
        ["4B", "3B", "2B"],
        ["7B", "6B", "5B"],
    ]


async def test_cursor_loop_of_single_page(hub: FaultyHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(CursorLoop())
    response = await http.get("/api/models?author=oak")
    empty = await http.get(response.links["next"]["url"])
    assert empty.json() == []
    again = await http.get(empty.links["next"]["url"])
    assert again.json() == response.json()


async def test_empty_list(hub: FaultyHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(EmptyList())
    assert await pages(http, 5) == [[], [], []]


async def test_duplicates_across_pages(hub: FaultyHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(Duplicates(count=2))
    assert await pages(http, 5) == [
        ["7B", "6B", "5B"],
        ["6B", "5B", "4B", "3B", "2B"],
        ["3B", "2B", "1B"],
    ]


async def test_model_vanishes_between_pages(hub: FaultyHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(Vanished(models=["acorn/tiny-3B", "acorn/tiny-7B"], after=1))
    assert await pages(http, 5) == [["7B", "6B", "5B"], ["4B", "2B"], ["1B"]]
    response = await http.get("/api/models/acorn/tiny-3B")
    assert response.status_code == 404


async def test_extra_fields(hub: FaultyHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(ExtraFields(fields={"mood": {"sunny": [1]}}))
    for row in (await http.get(LIST)).json():
        assert row["mood"] == {"sunny": [1]}
        assert isinstance(row["downloads"], int)


async def test_missing_fields(hub: FaultyHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(MissingFields(fields=["downloads"], models=["acorn/tiny-7B"]))
    hub.faults.add(MissingFields(fields=["likes", "createdAt"]))
    seven, six, _ = (await http.get(LIST)).json()
    assert set(seven) == {"_id", "id"}
    assert set(six) == {"_id", "id", "downloads"}
    assert "createdAt" not in (await http.get("/api/models/acorn/tiny-6B")).json()


@pytest.mark.parametrize("value", ["1234", -5, 10**30, None, 12.5, True, [], math.inf])
async def test_wrong_values(hub: FaultyHub, http: httpx.AsyncClient, value: Any) -> None:
    hub.faults.add(WrongValues(values={"downloads": value}, models=["acorn/tiny-6B"]))
    seven, six, _ = (await http.get(LIST)).json()
    assert six["downloads"] == value
    assert type(six["downloads"]) is type(value)
    assert seven["downloads"] != value
