"""Publishes while workers are killed and added, at any moment."""

import time
from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import TypeVar

from breakout.contract import Event
from tests.support.pipeline import Pipeline

EventT = TypeVar("EventT", bound=Event)


def publish_in_turmoil(
    pipeline: Pipeline, random: Random, pieces: Iterable[Sequence[Event]]
) -> None:
    """Publish the pieces one after the other, and leave at least one worker running."""
    for piece in pieces:
        pipeline.publish(piece)
        alive = [worker for worker in pipeline.workers if worker.process.poll() is None]
        if len(alive) < random.choice((1, 2)):
            pipeline.start_worker()
        elif random.random() < 0.5:
            # At any moment: within a batch as well as before or after its insert.
            time.sleep(random.random())
            random.choice(alive).kill()
    if all(worker.process.poll() is not None for worker in pipeline.workers):
        pipeline.start_worker()


def pieces_of(random: Random, events: Sequence[EventT]) -> Iterator[Sequence[EventT]]:
    """Cut events into pieces, a third of them at most."""
    start = 0
    while start < len(events):
        end = start + random.randint(1, max(len(events) // 3, 1))
        yield events[start:end]
        start = end
