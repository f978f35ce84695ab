"""A processor that is asked to stop ends quietly at any point of a write."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from breakout.contract import NameRecord
from breakout.contract.topics import NAMES
from breakout.settings import read_settings
from streams.batches import Batch
from streams.clickhouse import WorkerClickHouse
from streams.outbox import Outbox
from streams.processor import Processor
from streams.ram.processor import RamProcessor
from streams.ram.state import BinState


class OneWrite(Processor[NameRecord]):
    """Starts to write its first batch and waits, as for a server, until it is resumed."""

    name = "one-write"
    topics = (NAMES,)

    def __init__(self) -> None:
        settings = read_settings(clickhouse_url="http://127.0.0.1:1/breakout", batch_seconds=0.01)
        super().__init__(settings, Outbox(None, 4), WorkerClickHouse(settings))
        self.started = asyncio.Event()
        self.resume = asyncio.Event()

    def read(self, topic: str, value: bytes | None) -> NameRecord:
        del topic, value
        return NameRecord(
            name="x", source="openrouter", observed_at=datetime(2026, 1, 1, tzinfo=UTC), open=None
        )

    def row_count(self, event: NameRecord) -> int:
        del event
        return 1

    async def process(self, batch: Batch[NameRecord]) -> None:
        await self.write(batch, self._write)

    async def _write(self) -> None:
        self.started.set()
        await self.resume.wait()
        await asyncio.to_thread(self.clickhouse.query, "SELECT 1")


class Stream:
    """One record, then nothing until cancelled; counts acknowledgements."""

    def __init__(self) -> None:
        self.acknowledged = 0

    def noack(self) -> "Stream":
        return self

    def ack(self) -> None:
        self.acknowledged += 1

    async def events(self) -> AsyncIterator[Any]:
        message = SimpleNamespace(
            topic="breakout.inference", partition=0, key=None, value=b"", timestamp=None
        )
        yield SimpleNamespace(message=message, ack=self.ack)
        await asyncio.Event().wait()


@pytest.mark.parametrize("cancelled_first", [True, False])
async def test_cancelled_agent_stops_its_write(*, cancelled_first: bool) -> None:
    processor, stream = OneWrite(), Stream()
    agent = asyncio.create_task(processor.run(stream))
    await processor.started.wait()
    if cancelled_first:
        agent.cancel()
        await asyncio.sleep(0)
    processor.stop()
    processor.resume.set()
    if not cancelled_first:
        agent.cancel()
    with pytest.raises(asyncio.CancelledError):
        await agent
    assert stream.acknowledged == 0


async def test_watch_for_frozen_baselines_ends_when_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.ram.processor.FROZEN_SECONDS", 0)
    settings = read_settings(clickhouse_url="http://127.0.0.1:1/breakout")
    processor = RamProcessor(settings, Outbox(None, 4), WorkerClickHouse(settings))
    processor.states["7-9B"] = BinState("7-9B", 7, 90)
    processor.stop()
    await processor.watch_frozen()
