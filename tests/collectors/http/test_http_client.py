"""The HTTP client against a simulated Hub that fails in every way the Hub fails."""

import asyncio
import base64
import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Literal

import pytest
from aiohttp import web
from pydantic import SecretStr

from breakout.settings import SettingsError
from breakout.simulation import Catalog, Limits
from breakout.simulation.serving import Serving
from collectors.http.client import RequestPolicy, Source
from collectors.http.errors import (
    SourceError,
    SourceRefusedError,
    SourceUnreachableError,
    redacted_url,
)
from tests.collectors.quick import HASTY, QUICK, until
from tests.support.faulty_hub.faults import (
    Drip,
    ErrorStatus,
    Fault,
    Gzip,
    Html,
    Reset,
    Stalled,
    TooManyRequests,
    Truncated,
)
from tests.support.faulty_hub.hub import FaultyHub

MODELS = [f"acorn/tiny-{i}B" for i in range(1, 8)]
LINK = '<https://hub.invalid/api/models?limit=1&cursor=abc%3D>; rel="next"'
TOKEN = "hf_a_secret_nobody_may_see"


@pytest.fixture
async def hub() -> AsyncIterator[FaultyHub]:
    async with FaultyHub(Catalog.of(MODELS), tokens={TOKEN: Limits()}) as running:
        yield running


def source(
    hub: FaultyHub, request_policy: RequestPolicy = QUICK, token: str | None = None
) -> Source:
    return Source(
        "huggingface",
        hub.url,
        "HF_ENDPOINT",
        token=SecretStr(token) if token else None,
        token_setting="HF_TOKEN",
        request_policy=request_policy,
    )


async def ids(hub: Source) -> list[str]:
    answer = await hub.json("/api/models", [("author", "acorn")])
    return sorted(row["id"] for row in answer.content)


@pytest.mark.parametrize(
    "fault",
    [
        ErrorStatus(status=500, times=2),
        ErrorStatus(status=502, times=2),
        ErrorStatus(status=503, times=2),
        ErrorStatus(status=504, times=2),
        ErrorStatus(status=408, times=2),
        Reset(when="before_headers", times=2),
        Reset(when="after_headers", times=2),
        Truncated(framing="content_length", times=2),
        Truncated(framing="chunked", times=2),
        Truncated(framing="complete", times=2),
        Html(times=2),
        Gzip(corrupt=True, times=2),
        Stalled(times=2),
        TooManyRequests(wait="none", times=2),
        TooManyRequests(wait="ratelimit", seconds=0, times=2),
        Gzip(),
    ],
    ids=repr,
)
async def test_transient_fault_is_retried(hub: FaultyHub, fault: Fault) -> None:
    hub.faults.add(fault)
    async with source(hub, HASTY if isinstance(fault, Stalled) else QUICK) as client:
        assert await ids(client) == sorted(MODELS)
    assert len(hub.requests) == (3 if fault.times else 1)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (ErrorStatus(status=503), "HTTP 503 Service Unavailable"),
        (Reset(), "the connection broke"),
        (Truncated(framing="content_length"), "the connection broke"),
        (Truncated(framing="complete"), "the response is not JSON"),
        (Html(), "the response is not JSON"),
        (Gzip(corrupt=True), "the response's compression is corrupt"),
        (Stalled(), "no data received for 0.4 s"),
        (Drip(bytes_each=1, seconds_between=0.05), "no complete response within 1 s"),
    ],
    ids=repr,
)
async def test_permanent_fault_raises_with_reason(
    hub: FaultyHub, fault: Fault, reason: str
) -> None:
    hub.faults.add(fault)
    async with source(hub, HASTY if isinstance(fault, Stalled | Drip) else QUICK) as client:
        with pytest.raises(SourceError) as raised:
            await ids(client)
    assert raised.value.reason.startswith(reason)
    assert raised.value.attempts == len(hub.requests) == 3
    assert f"{hub.url}/api/models: {reason}" in str(raised.value)
    assert "(3 attempts)" in str(raised.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
async def test_client_error_is_not_retried(hub: FaultyHub, status: int) -> None:
    hub.faults.add(ErrorStatus(status=status))
    async with source(hub) as client:
        with pytest.raises(SourceRefusedError) as raised:
            await ids(client)
    assert raised.value.status == status
    assert len(hub.requests) == 1
    assert ("HF_TOKEN" in str(raised.value)) == (status == 401)


async def test_rejected_token_names_setting_without_secret(
    hub: FaultyHub, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "hf_of_nobody"
    async with source(hub, token=wrong) as client:
        with pytest.raises(SourceRefusedError, match="check HF_TOKEN") as raised:
            await ids(client)
    assert hub.requests[0].headers["authorization"] == f"Bearer {wrong}"
    output = capsys.readouterr()
    for text in (str(raised.value), repr(raised.value), caplog.text, output.out, output.err):
        assert wrong not in text


async def test_token_is_sent_and_never_logged(
    hub: FaultyHub, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    hub.faults.add(ErrorStatus(status=503))
    async with source(hub, token=TOKEN) as client:
        with pytest.raises(SourceError) as raised:
            await ids(client)
    assert hub.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
    output = capsys.readouterr()
    for text in (str(raised.value), caplog.text, output.out, output.err):
        assert TOKEN not in text


@pytest.mark.parametrize("token", ["hf_a b", "hf_ä", "hf_a\nX-Evil: 1"])
def test_malformed_token_names_setting_without_secret(token: str) -> None:
    with pytest.raises(SettingsError, match="HF_TOKEN: must be one word") as raised:
        Source(
            "huggingface",
            "http://127.0.0.1:1",
            "HF_ENDPOINT",
            token=SecretStr(token),
            token_setting="HF_TOKEN",
        )
    assert token not in str(raised.value)


async def test_token_is_not_sent_to_other_origin(hub: FaultyHub) -> None:
    async with FaultyHub(Catalog.of(["acorn/new"])) as elsewhere:
        client = source(hub, token=TOKEN)
        async with client:
            await client.json(f"{elsewhere.url}/api/models/acorn/new")
    assert "authorization" not in elsewhere.requests[0].headers


async def test_password_in_url_is_used_without_being_shown(hub: FaultyHub) -> None:
    address = hub.url.replace("http://", "http://me:hush%21@")
    async with Source("huggingface", address, "HF_ENDPOINT", request_policy=QUICK) as client:
        with pytest.raises(SourceRefusedError) as raised:
            await ids(client)
    sent = hub.requests[0].headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent) == b"me:hush!"
    assert "hush" not in str(raised.value)


async def test_refused_connection_names_setting() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        async with Source("huggingface", address, "HF_ENDPOINT", request_policy=QUICK) as client:
            with pytest.raises(SourceUnreachableError, match="check HF_ENDPOINT") as raised:
                await client.json("/api/models")
    assert raised.value.attempts == 3


async def test_unknown_host_names_setting() -> None:
    async with Source("h", "http://nowhere.invalid", "HF_ENDPOINT", request_policy=QUICK) as client:
        with pytest.raises(SourceUnreachableError, match=r"nowhere\.invalid/api.*HF_ENDPOINT"):
            await client.json("/api/models")


@pytest.mark.parametrize("wait", ["ratelimit", "seconds", "date"])
async def test_no_request_is_sent_during_demanded_wait(
    hub: FaultyHub, wait: Literal["ratelimit", "seconds", "date"]
) -> None:
    hub.faults.add(TooManyRequests(wait=wait, seconds=60, times=1))
    patient = replace(QUICK, longest_limit_wait=100.0)
    async with source(hub, patient) as client:
        first = asyncio.create_task(ids(client))
        await until(lambda: client._budget.seconds_to_wait() > 50)
        others = [asyncio.create_task(ids(client)) for _ in range(12)]
        for _ in range(100):
            await asyncio.sleep(0)
        assert 50 < client._budget.seconds_to_wait() <= 60
        assert [request.status for request in hub.requests] == [429]
        client._budget._blocked_until = client._budget._resets_at = 0.0
        client._budget._wake()
        assert await asyncio.gather(first, *others) == [sorted(MODELS)] * 13


async def test_rate_limit_is_never_exceeded(hub: FaultyHub) -> None:
    limits = Limits(requests=7, window_seconds=1)
    async with FaultyHub(Catalog.of(MODELS), limits=limits) as strict, source(strict) as client:
        answers = await asyncio.gather(*(ids(client) for _ in range(24)))
    assert answers == [sorted(MODELS)] * 24
    # The server counts itself: whoever sends more than a window holds is answered 429.
    assert [request.status for request in strict.requests] == [200] * 24


async def test_too_long_demanded_wait_raises_immediately(hub: FaultyHub) -> None:
    hub.faults.add(TooManyRequests(wait="seconds", seconds=86_400))
    async with source(hub) as client:
        with pytest.raises(SourceError, match=r"demands a wait of 8\d{4} s") as raised:
            await ids(client)
    assert raised.value.status == 429
    assert len(hub.requests) == 1


async def test_repeated_429_raises_after_limit(hub: FaultyHub) -> None:
    hub.faults.add(TooManyRequests(wait="none"))
    async with source(hub) as client:
        with pytest.raises(SourceError, match=r"rate limited \(4 attempts\)"):
            await ids(client)


async def test_concurrency_is_bounded(hub: FaultyHub) -> None:
    # The server learns late that an answer was read; one that never ends cannot be counted twice.
    hub.faults.add(Stalled())
    async with source(hub) as client:
        asked = [asyncio.create_task(ids(client)) for _ in range(12)]
        await until(lambda: len(hub.requests) >= QUICK.concurrency)
        for _ in range(200):
            await asyncio.sleep(0.001)
        sent = len(hub.requests)
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    assert sent == QUICK.concurrency


async def test_next_page_stays_below_base_url(hub: FaultyHub) -> None:
    async with source(hub) as client:
        answer = await client.json("/api/models", [("author", "acorn"), ("limit", "3")])
        assert answer.next_page is not None
        assert answer.next_page.startswith(f"{hub.url}/api/models?")
        listed = [row["id"] for row in answer.content]
        while answer.next_page:
            answer = await client.json(answer.next_page)
            listed += [row["id"] for row in answer.content]
    assert sorted(listed) == sorted(MODELS)


async def test_upstream_link_of_mirror_is_rewritten_to_mirror() -> None:
    async def page(request: web.Request) -> web.Response:
        link = {} if "cursor" in request.query else {"Link": LINK}
        return web.json_response([{"id": request.path_qs}], headers=link)

    app = web.Application()
    app.router.add_get("/api/models", page)
    async with (
        Serving(app) as serving,
        Source("huggingface", serving.url, "HF_ENDPOINT", request_policy=QUICK) as client,
    ):
        first = await client.json("/api/models")
        assert first.next_page == f"{serving.url}/api/models?limit=1&cursor=abc%3D"
        second = await client.json(first.next_page)
        assert second.content == [{"id": "/api/models?limit=1&cursor=abc%3D"}]
        assert second.next_page is None


def test_public_addresses_have_no_secrets() -> None:
    import httpx

    url = httpx.URL("https://me:hush@example.org:8443/api/models?token=abc")
    assert redacted_url(url) == "https://example.org:8443/api/models"
