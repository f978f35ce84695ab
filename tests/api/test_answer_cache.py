"""The answer cache: answers are shared until they expire; errors are not cached."""

import asyncio

import pytest

from api import answer_cache
from api.answer_cache import AnswerCache, CoalescedQuery
from api.problems import ProblemError, unavailable


class FakeQuery:
    """Returns the number of the run; the first run fails with `fails`."""

    def __init__(self, *, fails: bool = False) -> None:
        self.runs = 0
        self.fails = fails
        self.started = asyncio.Event()
        self.resumed = asyncio.Event()
        self.resumed.set()

    async def __call__(self) -> bytes:
        self.runs += 1
        self.started.set()
        number = self.runs
        await self.resumed.wait()
        if self.fails and number == 1:
            raise OSError("unavailable")
        return str(number).encode()


async def test_identical_requests_share_one_query_while_it_runs_and_while_cached() -> None:
    query, cache = FakeQuery(), AnswerCache()
    query.resumed.clear()
    waiting = [asyncio.create_task(cache.get("one", query)) for _number in range(50)]
    await asyncio.sleep(0)
    query.resumed.set()
    assert set(await asyncio.gather(*waiting)) == {b"1"}
    assert await cache.get("one", query) == b"1"
    assert await cache.get("another", query) == b"2"


async def test_expired_answer_is_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(answer_cache, "monotonic", lambda: now)
    query, cache = FakeQuery(), AnswerCache()
    assert await cache.get("one", query) == b"1"
    now += answer_cache.TTL_SECONDS - 0.1
    assert await cache.get("one", query) == b"1"
    now += 0.1
    assert await cache.get("one", query) == b"2"


async def test_error_reaches_all_waiters_and_is_not_cached() -> None:
    query, cache = FakeQuery(fails=True), AnswerCache()
    found = await asyncio.gather(
        *(cache.get("one", query) for _number in range(3)), return_exceptions=True
    )
    assert [type(one) for one in found] == [OSError] * 3
    assert await cache.get("one", query) == b"2"


async def test_cancelled_request_does_not_cancel_the_shared_answer() -> None:
    query, cache = FakeQuery(), AnswerCache()
    query.resumed.clear()
    first, second = (asyncio.create_task(cache.get("one", query)) for _number in range(2))
    await asyncio.sleep(0)
    first.cancel()
    query.resumed.set()
    assert await second == b"1"


async def test_oldest_answers_are_evicted_above_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answer_cache, "MAX_BYTES", 10)
    cache = AnswerCache()

    async def large() -> bytes:
        return b"x" * 8

    for number in range(5):
        await cache.get(number, large)
    query = FakeQuery()
    assert await cache.get(0, query) == b"1"
    assert await cache.get(4, query) == b"x" * 8
    assert query.runs == 1


async def test_coalesced_query_starts_after_the_call() -> None:
    query, coalesced = FakeQuery(), CoalescedQuery()
    query.resumed.clear()
    first = asyncio.create_task(coalesced.get(query))
    await query.started.wait()
    later = [asyncio.create_task(coalesced.get(query)) for _number in range(20)]
    await asyncio.sleep(0)
    query.resumed.set()
    assert await first == b"1"
    assert set(await asyncio.gather(*later)) == {b"2"}
    assert await coalesced.get(query) == b"3"


async def test_waiter_retries_when_the_shared_query_was_refused_for_another_client() -> None:
    cache, refused = AnswerCache(), asyncio.Event()

    async def refusing() -> bytes:
        await refused.wait()
        raise unavailable("Too many queries are running")

    async def query() -> bytes:
        return b"mine"

    first = asyncio.create_task(cache.get("one", refusing))
    await asyncio.sleep(0)
    other = asyncio.create_task(cache.get("one", query))
    await asyncio.sleep(0)
    refused.set()
    with pytest.raises(ProblemError):
        await first
    assert await other == b"mine"
