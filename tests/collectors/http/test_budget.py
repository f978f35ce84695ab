"""The request budget that all concurrent requests share."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.http.budget import Budget, BudgetError
from collectors.http.rate_limit import Policy, Remaining


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_an_exhausted_window_is_waited_for() -> None:
    clock = Clock()
    budget = Budget(clock=clock)
    await budget.acquire()
    budget.returned(Remaining("api", 0, 55), Policy("api", 500, 300))
    assert budget.seconds_to_wait() == 55
    clock.now += 54
    assert budget.seconds_to_wait() == 1
    clock.now += 1
    assert budget.seconds_to_wait() == 0


async def test_requests_under_way_count() -> None:
    budget = Budget(clock=Clock())
    await budget.acquire()
    await budget.acquire()
    await budget.acquire()
    budget.returned(Remaining("api", 3, 60))
    assert budget.seconds_to_wait() == 0
    await budget.acquire()
    # Three are under way and three were left: the next one waits for an answer.
    assert budget.seconds_to_wait() == float("inf")
    budget.returned(Remaining("api", 2, 60))
    assert budget.seconds_to_wait() == float("inf")
    budget.returned(Remaining("api", 2, 60))
    assert budget.seconds_to_wait() == 0


async def test_an_overtaken_answer_does_not_raise_the_budget() -> None:
    budget = Budget(clock=Clock())
    for _ in range(2):
        await budget.acquire()
    budget.returned(Remaining("api", 0, 60))
    budget.returned(Remaining("api", 1, 60))
    assert budget.seconds_to_wait() == 60


async def test_an_answer_of_the_window_before_is_not_heeded() -> None:
    clock = Clock()
    budget = Budget(clock=clock)
    for _ in range(3):
        await budget.acquire()
    budget.returned(Remaining("api", 0, 10))
    clock.now += 10
    budget.returned(Remaining("api", 499, 300))
    budget.returned(Remaining("api", 0, 0))
    assert budget.seconds_to_wait() == 0


async def test_a_lost_request_may_have_been_counted() -> None:
    budget = Budget(clock=Clock())
    await budget.acquire()
    budget.returned(Remaining("api", 1, 60))
    await budget.acquire()
    budget.returned()
    assert budget.seconds_to_wait() == 60


async def test_a_block_holds_everybody() -> None:
    clock = Clock()
    budget = Budget(clock=clock)
    budget.block(7)
    budget.block(3)
    assert budget.seconds_to_wait() == 7


async def test_too_long_wait_raises() -> None:
    budget = Budget(longest_wait=900, clock=Clock())
    budget.block(901)
    with pytest.raises(BudgetError, match="the source demands a wait of 901 s"):
        await budget.acquire()


async def test_waiters_go_on_when_an_answer_makes_room() -> None:
    budget = Budget()
    await budget.acquire()
    await budget.acquire()
    budget.returned(Remaining("api", 1, 3600))
    waiter = asyncio.create_task(budget.acquire())
    await asyncio.sleep(0)
    assert not waiter.done()
    budget.returned(Remaining("api", 1, 3600))
    await asyncio.wait_for(waiter, 5)


@given(
    limit=st.integers(1, 5),
    window=st.integers(1, 10),
    steps=st.lists(st.floats(0, 5), min_size=1, max_size=60),
)
async def test_a_known_policy_is_kept_without_any_header(
    limit: int, window: int, steps: list[float]
) -> None:
    clock = Clock()
    budget = Budget(Policy("api", limit, window), clock=clock)
    sent: list[float] = []
    for step in steps:
        clock.now += step
        if budget.seconds_to_wait() == 0:
            await budget.acquire()
            budget.returned()
            sent.append(clock.now)
    for first in sent:
        assert sum(first <= at < first + window for at in sent) <= limit
