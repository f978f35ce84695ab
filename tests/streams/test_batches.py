"""Batches end when full, when old enough, or at a new assignment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

import pytest

from breakout.contract import ContractError, NameRecord, read_event
from streams.batches import Batch, batches

NAME = NameRecord.model_validate(
    {"source": "s", "name": "n", "observed_at": "2026-01-01T00:00:00Z", "open": None}
).to_bytes()


class Stream:
    """Yields the records that are put in; None ends it, an exception is raised."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[int | Exception | None] = asyncio.Queue()
        self.assignment = 1
        self.read = 0
        self.advanced = asyncio.Event()

    def noack(self) -> "Stream":
        return self

    def put(self, *records: int | Exception | None) -> None:
        for record in records:
            self.queue.put_nowait(record)

    async def events(self) -> AsyncIterator[Any]:
        while (record := await self.queue.get()) is not None:
            if isinstance(record, Exception):
                raise record
            self.read += 1
            self.advanced.set()
            value = NAME if record >= 0 else b"{"
            message = SimpleNamespace(topic="t", partition=0, offset=record, key=None, value=value)
            yield SimpleNamespace(message=message)

    async def has_read(self, records: int) -> None:
        while self.read < records:
            self.advanced.clear()
            await self.advanced.wait()

    def batches(self, max_rows: int, max_seconds: float) -> Any:
        return aclosing(
            batches(
                self,
                lambda _topic, value: read_event(NameRecord, value),
                lambda _event: 1,
                assignment=lambda: self.assignment,
                max_rows=max_rows,
                max_seconds=max_seconds,
            )
        )


def offsets(batch: Batch[NameRecord]) -> list[int]:
    return [record.source.message.offset for record in batch.records]


@pytest.fixture
def stream() -> Stream:
    return Stream()


async def test_full_batch_is_yielded_immediately(stream: Stream) -> None:
    stream.put(0, 1, 2, 3, 4)
    async with stream.batches(2, 3600) as gathered:
        assert offsets(await anext(gathered)) == [0, 1]
        assert offsets(await anext(gathered)) == [2, 3]


async def test_partial_batch_is_yielded_when_old_enough(stream: Stream) -> None:
    async with stream.batches(100, 0.01) as gathered:
        for offset in range(3):
            stream.put(offset)
            assert offsets(await anext(gathered)) == [offset]


async def test_unreadable_record_keeps_its_error_and_place(stream: Stream) -> None:
    stream.put(0, -1, 2)
    async with stream.batches(3, 3600) as gathered:
        batch = await anext(gathered)
    assert offsets(batch) == [0, -1, 2]
    assert [record.event is None for record in batch.records] == [False, True, False]
    assert isinstance(batch.records[1].error, ContractError)


async def test_due_batch_grows_until_full_while_not_taken(
    stream: Stream,
) -> None:
    stream.put(0, 1)
    async with stream.batches(4, 0) as gathered:
        assert offsets(await anext(gathered)) == [0, 1]
        stream.put(*range(2, 10))
        await stream.has_read(6)
        for _ in range(100):
            await asyncio.sleep(0)
        assert stream.read == 6
        assert offsets(await anext(gathered)) == [2, 3, 4, 5]


async def test_new_assignment_drops_only_records_of_the_old_one(
    stream: Stream,
) -> None:
    stream.put(5, 6)
    async with stream.batches(3, 3600) as gathered:
        taking = asyncio.ensure_future(anext(gathered))
        await stream.has_read(2)
        stream.assignment = 2
        stream.put(5, 6, 7)  # from the last acknowledged one on, as after every assignment
        batch = await taking
    assert (offsets(batch), batch.assignment) == ([5, 6, 7], 2)


async def test_stream_error_is_raised(stream: Stream) -> None:
    stream.put(0, RuntimeError("consumer gone"))
    async with stream.batches(100, 3600) as gathered:
        with pytest.raises(RuntimeError, match="consumer gone"):
            await anext(gathered)


async def test_end_of_stream_drops_the_partial_batch(
    stream: Stream,
) -> None:
    stream.put(0, None)
    async with stream.batches(100, 3600) as gathered:
        assert [batch async for batch in gathered] == []
