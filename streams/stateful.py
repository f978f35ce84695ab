"""Base of processors that keep state in memory, rebuilt from ClickHouse when it is needed."""

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence, Sized
from typing import Any, Generic, TypeVar

import structlog

from breakout.observability import metrics
from breakout.settings import Settings
from streams.batches import Batch, EventT
from streams.clickhouse import WorkerClickHouse
from streams.outbox import Outbox
from streams.processor import Processor

log = structlog.get_logger(__name__)

StateKeyT = TypeVar("StateKeyT", int, str)
StateT = TypeVar("StateT", bound=Sized)


class StatefulProcessor(Processor[EventT], Generic[EventT, StateKeyT, StateT]):
    """A processor with one state per partition, size bin or source; its length counts models."""

    def __init__(self, settings: Settings, outbox: Outbox, clickhouse: WorkerClickHouse) -> None:
        super().__init__(settings, outbox, clickhouse)
        self.states: dict[StateKeyT, StateT] = {}

    @abstractmethod
    def load(self, keys: Sequence[StateKeyT]) -> Mapping[StateKeyT, StateT]:
        """Load states from ClickHouse; blocks."""

    def reassigned(self) -> None:
        """Start over after a rebalance, with states loaded again."""
        super().reassigned()
        self.states = {}

    async def states_of(self, keys: Iterable[StateKeyT]) -> dict[StateKeyT, StateT]:
        """Return all states, those of `keys` among them; missing ones are loaded."""
        states = self.states
        missing = sorted(set(keys) - states.keys())
        if missing:
            await self.writing_done()
            with metrics.STATE_LOAD_SECONDS.labels(self.name).time():
                states.update(await asyncio.to_thread(self.load, missing))
            log.info("state rebuilt from ClickHouse", processor=self.name, keys=missing)
        return states

    async def write(
        self, batch: Batch[EventT], write: Callable[..., Awaitable[None]], *arguments: Any
    ) -> None:
        """Count the models in memory, and write a batch."""
        metrics.STATE_MODELS.labels(self.name).set(sum(map(len, self.states.values())))
        await super().write(batch, write, *arguments)
