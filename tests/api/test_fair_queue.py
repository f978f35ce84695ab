"""Turns at the database are shared out among clients, whoever asks first."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from api.clients import Client
from api.fair_queue import Turns
from api.problems import ProblemError
from api.token_buckets import Buckets

HEAVY, LIGHT = Client("heavy", 60.0), Client("light", 60.0)
LONG = 60.0


async def entered(turns: Turns, client: Client, order: list[str], ends: asyncio.Event) -> None:
    async with turns.turn(client, LONG):
        order.append(client.name)
        await ends.wait()


async def test_a_client_has_half_of_the_turns_and_others_the_rest() -> None:
    turns, order, ends = Turns(4, Buckets()), list[str](), asyncio.Event()
    heavy = [asyncio.create_task(entered(turns, HEAVY, order, ends)) for _number in range(20)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    async with turns.turn(LIGHT, LONG):
        assert order == ["heavy"] * 2
    ends.set()
    await asyncio.gather(*heavy)
    assert order == ["heavy"] * 20


async def test_who_has_used_least_comes_next() -> None:
    costs, order, ends = Buckets(), list[str](), asyncio.Event()
    turns = Turns(1, costs)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(turns.turn(HEAVY, LONG))
        costs.add(HEAVY.name, 30, HEAVY.query_rate, asyncio.get_running_loop().time())
        waiting = [
            asyncio.create_task(entered(turns, one, order, ends)) for one in (HEAVY, HEAVY, LIGHT)
        ]
        await asyncio.sleep(0)
    ends.set()
    await asyncio.gather(*waiting)
    assert order == ["light", "heavy", "heavy"]


async def test_a_turn_that_does_not_come_is_a_problem_and_takes_none() -> None:
    turns = Turns(1, Buckets())
    async with turns.turn(HEAVY, LONG):
        with pytest.raises(ProblemError, match="Too many queries") as refused:
            async with turns.turn(LIGHT, 0.01):
                pass
        assert refused.value.status == 503
        left = asyncio.create_task(entered(turns, LIGHT, [], asyncio.Event()))
        await asyncio.sleep(0)
        left.cancel()
        await asyncio.gather(left, return_exceptions=True)
    async with turns.turn(LIGHT, LONG):
        pass
