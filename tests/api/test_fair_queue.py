"""The fair queue shares slots among clients, whatever the order of their requests."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from api.clients import Client
from api.fair_queue import FairQueue
from api.problems import ProblemError
from api.token_buckets import TokenBuckets

HEAVY, LIGHT = Client("heavy", 60.0), Client("light", 60.0)
WAIT_SECONDS = 60.0


async def hold_slot(
    queue: FairQueue, client: Client, order: list[str], released: asyncio.Event
) -> None:
    async with queue.slot(client, WAIT_SECONDS):
        order.append(client.name)
        await released.wait()


async def test_client_uses_at_most_half_of_the_slots() -> None:
    queue, order, released = FairQueue(4, TokenBuckets()), list[str](), asyncio.Event()
    heavy = [asyncio.create_task(hold_slot(queue, HEAVY, order, released)) for _number in range(20)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    async with queue.slot(LIGHT, WAIT_SECONDS):
        assert order == ["heavy"] * 2
    released.set()
    await asyncio.gather(*heavy)
    assert order == ["heavy"] * 20


async def test_client_with_the_least_cost_is_next() -> None:
    costs, order, released = TokenBuckets(), list[str](), asyncio.Event()
    queue = FairQueue(1, costs)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(queue.slot(HEAVY, WAIT_SECONDS))
        costs.add(HEAVY.name, 30, HEAVY.query_rate, asyncio.get_running_loop().time())
        waiting = [
            asyncio.create_task(hold_slot(queue, one, order, released))
            for one in (HEAVY, HEAVY, LIGHT)
        ]
        await asyncio.sleep(0)
    released.set()
    await asyncio.gather(*waiting)
    assert order == ["light", "heavy", "heavy"]


async def test_timeout_is_a_problem_and_leaves_the_slot_free() -> None:
    queue = FairQueue(1, TokenBuckets())
    async with queue.slot(HEAVY, WAIT_SECONDS):
        with pytest.raises(ProblemError, match="Too many queries") as refused:
            async with queue.slot(LIGHT, 0.01):
                pass
        assert refused.value.status == 503
        left = asyncio.create_task(hold_slot(queue, LIGHT, [], asyncio.Event()))
        await asyncio.sleep(0)
        left.cancel()
        await asyncio.gather(left, return_exceptions=True)
    async with queue.slot(LIGHT, WAIT_SECONDS):
        pass
