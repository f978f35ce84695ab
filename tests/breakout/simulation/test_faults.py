"""Every fault of the simulated Hub does what it says."""

import asyncio
import email.utils
import gzip
import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from breakout.simulation import SimulatedHub
from breakout.simulation.faults import (
    CursorLoop,
    Drip,
    Duplicates,
    EmptyList,
    ErrorStatus,
    ExtraFields,
    Fault,
    Faults,
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

LIST = "/api/models?author=acorn&limit=3&sort=createdAt&expand[]=downloads&expand[]=likes"


async def raw(hub: SimulatedHub, *, most: int | None = None) -> tuple[bytes, bytes]:
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
        answer = await http.get(url)
        found.append([row["id"].removeprefix("acorn/tiny-") for row in answer.json()])
        url = answer.links.get("next", {}).get("url", "")
    return found


@pytest.mark.parametrize("status", [500, 502, 503, 404])
async def test_an_error_status_comes_so_many_times(
    hub: SimulatedHub, http: httpx.AsyncClient, status: int
) -> None:
    hub.faults.add(ErrorStatus(status=status, times=2, after=1))
    answers = [await http.get(LIST) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, status, status, 200, 200]
    assert "error" in answers[1].json()
    assert [received.status for received in hub.requests] == [200, status, status, 200, 200]


async def test_an_error_status_comes_always_for_what_matches(
    hub: SimulatedHub, http: httpx.AsyncClient
) -> None:
    hub.faults.add(ErrorStatus(match="tiny-1B"))
    for _ in range(3):
        assert (await http.get("/api/models/acorn/tiny-1B")).status_code == 503
        assert (await http.get("/api/models/acorn/tiny-2B")).status_code == 200
    hub.faults.clear()
    assert (await http.get("/api/models/acorn/tiny-1B")).status_code == 200


async def test_a_fault_may_hit_the_lists(hub: SimulatedHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(ErrorStatus(match="^/lists/models"))
    assert (await http.get("/lists/models.csv")).status_code == 503
    assert (await http.get("/lists/extra_models.csv")).status_code == 200
    assert (await http.get(LIST)).status_code == 200


async def test_faults_that_end_a_request_take_turns(
    hub: SimulatedHub, http: httpx.AsyncClient
) -> None:
    hub.faults.add(ErrorStatus(status=500, times=1), TooManyRequests(times=1), Html(times=1))
    answers = [await http.get(LIST) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [500, 429, 200, 200]
    assert answers[2].headers["Content-Type"].startswith("text/html")
    assert "<html>" in answers[2].text
    assert len(answers[3].json()) == 3
    assert hub.faults.active() == []


async def test_too_many_requests_tells_the_wait_in_each_way(
    hub: SimulatedHub, http: httpx.AsyncClient
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


async def test_a_reset_before_headers_sends_rst(hub: SimulatedHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(Reset(times=1))
    with pytest.raises(ConnectionResetError):
        await raw(hub)
    assert (await http.get(LIST)).status_code == 200
    assert [received.status for received in hub.requests] == [None, 200]


async def test_a_reset_after_headers_sends_them_first(hub: SimulatedHub) -> None:
    hub.faults.add(Reset(when="after_headers", times=1))
    host, port = hub.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {LIST} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


async def test_a_truncated_body_with_fitting_length_is_broken_json(
    hub: SimulatedHub, http: httpx.AsyncClient
) -> None:
    whole = (await http.get(LIST)).content
    hub.faults.add(Truncated(framing="complete"))
    cut = await http.get(LIST)
    assert cut.content == whole[: len(whole) // 2]
    assert int(cut.headers["Content-Length"]) == len(cut.content)
    with pytest.raises(json.JSONDecodeError):
        cut.json()


async def test_a_truncated_body_falls_short_of_its_length(
    hub: SimulatedHub, http: httpx.AsyncClient
) -> None:
    whole = (await http.get(LIST)).content
    hub.faults.add(Truncated(framing="content_length"))
    head, body = await raw(hub)
    assert f"content-length: {len(whole)}\r\n".encode() in head.lower()
    assert body == whole[: len(whole) // 2]
    with pytest.raises(httpx.RemoteProtocolError):
        await http.get(LIST)


async def test_a_truncated_chunked_body_has_no_end(
    hub: SimulatedHub, http: httpx.AsyncClient
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


async def test_a_stalled_body_never_comes(hub: SimulatedHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(Stalled(times=1))
    async with http.stream("GET", LIST, timeout=httpx.Timeout(10, read=0.3)) as answer:
        assert answer.status_code == 200
        assert int(answer.headers["Content-Length"]) > 0
        with pytest.raises(httpx.ReadTimeout):
            await answer.aread()
    assert (await http.get(LIST)).status_code == 200


async def test_a_hub_with_a_stalled_request_stops(hub: SimulatedHub) -> None:
    hub.faults.add(Stalled())
    host, port = hub.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {LIST} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    await hub.__aexit__(None, None, None)
    assert await reader.read() == b""
    writer.close()


async def test_a_drip_comes_whole_in_pieces(hub: SimulatedHub, http: httpx.AsyncClient) -> None:
    whole = (await http.get(LIST)).content
    hub.faults.add(Drip(bytes_each=50, seconds_between=0.01))
    async with http.stream("GET", LIST) as answer:
        pieces = [piece async for piece in answer.aiter_raw()]
    assert b"".join(pieces) == whole
    assert len(pieces) > 1


async def test_gzip_is_for_those_who_accept_it(hub: SimulatedHub, http: httpx.AsyncClient) -> None:
    whole = (await http.get(LIST)).content
    hub.faults.add(Gzip())
    async with http.stream("GET", LIST) as answer:
        compressed = b"".join([piece async for piece in answer.aiter_raw()])
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(compressed) == whole
    assert (await http.get(LIST)).content == whole
    plain = await http.get(LIST, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.content == whole


async def test_corrupt_gzip_cannot_be_read(hub: SimulatedHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(Gzip(corrupt=True))
    with pytest.raises(httpx.DecodingError):
        await http.get(LIST)


async def test_gzip_may_be_truncated(hub: SimulatedHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(Gzip(), Truncated(framing="content_length"))
    with pytest.raises(httpx.RemoteProtocolError):
        await http.get(LIST)


async def test_a_repeated_cursor_leads_nowhere(hub: SimulatedHub, http: httpx.AsyncClient) -> None:
    assert await pages(http, 5) == [["7B", "6B", "5B"], ["4B", "3B", "2B"], ["1B"]]
    hub.faults.add(RepeatedCursor(after=1))
    first = await http.get(LIST)
    second = await http.get(first.links["next"]["url"])
    assert second.links["next"]["url"] == first.links["next"]["url"]
    hub.faults.clear()
    hub.faults.add(RepeatedCursor())
    assert await pages(http, 3) == [["7B", "6B", "5B"]] * 3


async def test_a_cursor_loop_has_two_pages(hub: SimulatedHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(CursorLoop())
    assert await pages(http, 5) == [
        ["7B", "6B", "5B"],
        ["4B", "3B", "2B"],
        ["7B", "6B", "5B"],
        ["4B", "3B", "2B"],
        ["7B", "6B", "5B"],
    ]


async def test_a_cursor_loop_of_a_single_page(hub: SimulatedHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(CursorLoop())
    answer = await http.get("/api/models?author=oak")
    empty = await http.get(answer.links["next"]["url"])
    assert empty.json() == []
    again = await http.get(empty.links["next"]["url"])
    assert again.json() == answer.json()


async def test_an_empty_list(hub: SimulatedHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(EmptyList())
    assert await pages(http, 5) == [[], [], []]


async def test_duplicates_across_pages(hub: SimulatedHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(Duplicates(count=2))
    assert await pages(http, 5) == [
        ["7B", "6B", "5B"],
        ["6B", "5B", "4B", "3B", "2B"],
        ["3B", "2B", "1B"],
    ]


async def test_a_model_vanishes_between_pages(hub: SimulatedHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(Vanished(models=["acorn/tiny-3B", "acorn/tiny-7B"], after=1))
    assert await pages(http, 5) == [["7B", "6B", "5B"], ["4B", "2B"], ["1B"]]
    answer = await http.get("/api/models/acorn/tiny-3B")
    assert answer.status_code == 404


async def test_extra_fields(hub: SimulatedHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(ExtraFields(fields={"mood": {"sunny": [1]}}))
    for row in (await http.get(LIST)).json():
        assert row["mood"] == {"sunny": [1]}
        assert isinstance(row["downloads"], int)


async def test_missing_fields(hub: SimulatedHub, http: httpx.AsyncClient) -> None:
    hub.faults.add(MissingFields(fields=["downloads"], models=["acorn/tiny-7B"]))
    hub.faults.add(MissingFields(fields=["likes", "createdAt"]))
    seven, six, _ = (await http.get(LIST)).json()
    assert set(seven) == {"_id", "id"}
    assert set(six) == {"_id", "id", "downloads"}
    assert "createdAt" not in (await http.get("/api/models/acorn/tiny-6B")).json()


@pytest.mark.parametrize("value", ["1234", -5, 10**30, None, 12.5, True, [], math.inf])
async def test_wrong_values(hub: SimulatedHub, http: httpx.AsyncClient, value: Any) -> None:
    hub.faults.add(WrongValues(values={"downloads": value}, models=["acorn/tiny-6B"]))
    seven, six, _ = (await http.get(LIST)).json()
    assert six["downloads"] == value
    assert type(six["downloads"]) is type(value)
    assert seven["downloads"] != value


async def test_faults_by_http(hub: SimulatedHub, http: httpx.AsyncClient) -> None:
    one = {"kind": "status", "status": 500, "times": 1}
    answer = await http.post("/simulation/faults", json=one)
    assert answer.status_code == 200
    assert [fault["kind"] for fault in answer.json()] == ["status"]
    many = [{"kind": "wrong_values", "values": {"downloads": "7"}}, {"kind": "gzip"}]
    await http.post("/simulation/faults", json=many)
    assert (await http.get(LIST)).status_code == 500
    answer = await http.get(LIST)
    assert answer.json()[0]["downloads"] == "7"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert [f["kind"] for f in (await http.get("/simulation/faults")).json()] == [
        "wrong_values",
        "gzip",
    ]
    assert (await http.delete("/simulation/faults")).json() == []
    assert isinstance((await http.get(LIST)).json()[0]["downloads"], int)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"kind": "gremlin"}, "gremlin"),
        ({"status": 500}, "kind"),
        ({"kind": "status", "status": 200}, "status"),
        ({"kind": "status", "time": 3}, "time"),
        ({"kind": "status", "times": 0}, "times"),
        ({"kind": "status", "match": "("}, "match"),
        ({"kind": "vanished"}, "models"),
        (3, "0"),
    ],
)
async def test_a_wrong_fault_is_refused(
    hub: SimulatedHub, http: httpx.AsyncClient, given: object, says: str
) -> None:
    answer = await http.post("/simulation/faults", json=given)
    assert answer.status_code == 400
    assert says in answer.json()["error"]
    assert hub.faults.active() == []


def test_one_wrong_fault_of_several_adds_none() -> None:
    faults = Faults()
    with pytest.raises(ValidationError):
        faults.add_json([{"kind": "gzip"}, {"kind": "gremlin"}])
    assert faults.active() == []


def test_every_fault_can_be_given_as_json() -> None:
    given: list[Fault] = [
        ErrorStatus(),
        TooManyRequests(),
        Html(),
        Reset(),
        Truncated(),
        Stalled(),
        Drip(),
        Gzip(),
        RepeatedCursor(),
        CursorLoop(),
        EmptyList(),
        Duplicates(),
        Vanished(models=["a/b"]),
        ExtraFields(),
        MissingFields(fields=["likes"]),
        WrongValues(values={"likes": None}),
    ]
    faults = Faults()
    faults.add_json([fault.model_dump() for fault in given])
    assert faults.active() == given
