"""Recent answers: shared while they are fresh, never after something new or a mistake."""

import asyncio

import pytest

from api import answer_cache as recent
from api.answer_cache import After, Recent
from api.problems import ProblemError, unavailable


class Asked:
    """Answers with the number of the question; the first fails if told so."""

    def __init__(self, *, fails: bool = False) -> None:
        self.times = 0
        self.fails = fails
        self.begun = asyncio.Event()
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def __call__(self) -> bytes:
        self.times += 1
        self.begun.set()
        number = self.times
        await self.goes_on.wait()
        if self.fails and number == 1:
            raise OSError("away")
        return str(number).encode()


async def test_the_same_is_asked_once_while_it_runs_and_while_it_is_fresh() -> None:
    ask, kept = Asked(), Recent()
    ask.goes_on.clear()
    waiting = [asyncio.create_task(kept.get("one", ask)) for _number in range(50)]
    await asyncio.sleep(0)
    ask.goes_on.set()
    assert set(await asyncio.gather(*waiting)) == {b"1"}
    assert await kept.get("one", ask) == b"1"
    assert await kept.get("another", ask) == b"2"


async def test_old_answers_are_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(recent, "monotonic", lambda: now)
    ask, kept = Asked(), Recent()
    assert await kept.get("one", ask) == b"1"
    now += recent.KEPT_SECONDS - 0.1
    assert await kept.get("one", ask) == b"1"
    now += 0.1
    assert await kept.get("one", ask) == b"2"


async def test_something_new_ends_what_was_kept_and_what_was_on_its_way() -> None:
    ask, kept = Asked(), Recent()
    ask.goes_on.clear()
    before = asyncio.create_task(kept.get("one", ask))
    await asyncio.sleep(0)
    kept.forget()
    after = asyncio.create_task(kept.get("one", ask))
    await asyncio.sleep(0)
    ask.goes_on.set()
    assert (await before, await after) == (b"1", b"2")
    assert await kept.get("one", ask) == b"2"


async def test_a_mistake_goes_to_all_who_wait_and_is_not_kept() -> None:
    ask, kept = Asked(fails=True), Recent()
    found = await asyncio.gather(
        *(kept.get("one", ask) for _number in range(3)), return_exceptions=True
    )
    assert [type(one) for one in found] == [OSError] * 3
    assert await kept.get("one", ask) == b"2"


async def test_who_leaves_takes_nothing_from_the_others() -> None:
    ask, kept = Asked(), Recent()
    ask.goes_on.clear()
    first, second = (asyncio.create_task(kept.get("one", ask)) for _number in range(2))
    await asyncio.sleep(0)
    first.cancel()
    ask.goes_on.set()
    assert await second == b"1"


async def test_it_keeps_only_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "MOST_BYTES", 10)
    kept = Recent()

    async def large() -> bytes:
        return b"x" * 8

    for number in range(5):
        await kept.get(number, large)
    ask = Asked()
    assert await kept.get(0, ask) == b"1"
    assert await kept.get(4, ask) == b"x" * 8
    assert ask.times == 1


async def test_what_must_come_after_is_never_what_ran_before() -> None:
    ask, after = Asked(), After()
    ask.goes_on.clear()
    first = asyncio.create_task(after.get(ask))
    await ask.begun.wait()
    later = [asyncio.create_task(after.get(ask)) for _number in range(20)]
    await asyncio.sleep(0)
    ask.goes_on.set()
    assert await first == b"1"
    assert set(await asyncio.gather(*later)) == {b"2"}
    assert await after.get(ask) == b"3"


async def test_who_shares_an_answer_whose_turn_did_not_come_asks_for_itself() -> None:
    kept, refused = Recent(), asyncio.Event()

    async def crowded() -> bytes:
        await refused.wait()
        raise unavailable("Too many queries run already")

    async def ask() -> bytes:
        return b"mine"

    crowd = asyncio.create_task(kept.get("one", crowded))
    await asyncio.sleep(0)
    other = asyncio.create_task(kept.get("one", ask))
    await asyncio.sleep(0)
    refused.set()
    with pytest.raises(ProblemError):
        await crowd
    assert await other == b"mine"
