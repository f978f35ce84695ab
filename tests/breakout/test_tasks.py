"""Tasks that lose or ignore a cancellation."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest

from breakout import tasks
from tests.collectors.quick import until


class Stubborn:
    """Work that suppresses a number of cancellations; it ends when it is allowed to."""

    def __init__(self, ignores: int) -> None:
        self.ignores = ignores
        self.cancelled = 0
        self.may_end = asyncio.Event()
        self.ended = False

    async def work(self) -> str:
        while True:
            try:
                await self.may_end.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                if self.cancelled > self.ignores:
                    raise
            else:
                self.ended = True
                return "done"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "END_SECONDS", 0.05)
    monkeypatch.setattr(tasks, "SECOND_SECONDS", 0.05)


@pytest.fixture
async def endless() -> AsyncIterator[Stubborn]:
    """Work that suppresses all cancellations, until the test is over."""
    work = Stubborn(ignores=1_000_000)
    yield work
    work.may_end.set()
    await until(lambda: work.ended)


@pytest.mark.parametrize("ignores", [0, 1])
async def test_end_cancels_again(ignores: int) -> None:
    task = asyncio.create_task(Stubborn(ignores).work())
    await asyncio.sleep(0)
    assert await tasks.end(task)
    assert task.cancelled()


async def test_end_leaves_behind_what_does_not_end(
    endless: Stubborn, caplog: pytest.LogCaptureFixture
) -> None:
    task = asyncio.create_task(endless.work())
    await asyncio.sleep(0)
    assert not await tasks.end(task)
    assert endless.cancelled == 2
    assert "ignores its cancellation" in caplog.text
    del task
    gc.collect()
    assert not endless.ended


async def test_result_and_error_of_work_in_its_own_task() -> None:
    async def fail() -> None:
        raise OSError("away")

    done = Stubborn(0)
    done.may_end.set()
    assert await tasks.in_own_task(done.work(), within=60) == "done"
    with pytest.raises(OSError, match="away"):
        await tasks.in_own_task(fail())


async def test_timeout_is_raised_although_work_ignores_it(endless: Stubborn) -> None:
    with pytest.raises(TimeoutError, match=r"0\.01 s"):
        await tasks.in_own_task(endless.work(), within=0.01)


async def test_cancellation_is_raised_although_work_loses_it() -> None:
    work = Stubborn(ignores=1)

    async def caller() -> None:
        await tasks.in_own_task(work.work())
        pytest.fail("the caller goes on")

    calling = asyncio.create_task(caller())
    await asyncio.sleep(0)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
