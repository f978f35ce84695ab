"""Publishes while workers are killed and added."""

import time
from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import TypeVar

from breakout.contract import Event
from tests.support.pipeline import Pipeline

EventT = TypeVar("EventT", bound=Event)


def publish_under_kills(
    pipeline: Pipeline, random: Random, parts: Iterable[Sequence[Event]]
) -> None:
    """Publish parts one after the other; leaves at least one worker running."""
    for part in parts:
        pipeline.publish(part)
        running = pipeline.running_workers()
        if len(running) < random.choice((1, 2)):
            pipeline.start_worker()
        elif random.random() < 0.5:
            # Any time: within a batch, before or after its insert.
            time.sleep(random.random())
            random.choice(running).kill()
    if not pipeline.running_workers():
        pipeline.start_worker()


def random_parts(random: Random, events: Sequence[EventT]) -> Iterator[Sequence[EventT]]:
    """Cut events into random parts of at most a third."""
    start = 0
    while start < len(events):
        end = start + random.randint(1, max(len(events) // 3, 1))
        yield events[start:end]
        start = end
