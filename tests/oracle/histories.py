"""Invented histories: what was observed of a registry's models, realistic and nasty.

Everything is drawn from a `random.Random`, so that one generator serves hypothesis (which
hands in a random that it records and shrinks) and big runs from a seed. What would be too much
for hypothesis to record comes from an own `Random` for each model, of which it records the seed.
"""

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from random import Random
from typing import Any

from breakout.contract.events import MAX_COUNTER, ModelRecord

from .counting import STEPS, make_counter
from .inputs import Observation
from .registries import FIRST_DAY, make_registry
from .schedules import make_schedule

# A report of more than this cannot be read.
LONGEST_REPR = 40


@dataclass(frozen=True)
class History:
    """Observations, some of them twice or at odds with another, and all records of models."""

    observations: list[Observation]
    models: list[ModelRecord]

    def __repr__(self) -> str:
        if len(self.observations) > LONGEST_REPR:
            return f"History(<{len(self.observations)} observations>, <{len(self.models)} records>)"
        return f"History({self.observations!r}, {self.models!r})"


def make_history(random: Random, *, models: int = 12, moments: int = 25) -> History:
    """Invent a history of up to `models` models with up to `moments` observations each.

    Besides, some models have a second source, and one model is not in the registry.
    """
    count = random.randint(1, models) if random.randint(0, 3) == 0 else models
    records = make_registry(random, count)
    newest = {record.model_id: record for record in records}
    observations = _observe(random, "huggingface", newest, moments)
    if random.randint(0, 2) == 2:
        few = dict(list(newest.items())[:3])
        observations += _observe(random, "modelscope", few, min(moments, 10))
    if random.randint(0, 5) == 5:
        observations = [_stranger(one) for one in observations[:3]] + observations
    return History(observations + _contradictions(random, observations), records)


def _stranger(one: Observation) -> Observation:
    return replace(one, model_id="nobody/knows-it")


def _observe(
    random: Random, source: str, newest: dict[str, ModelRecord], moments: int
) -> list[Observation]:
    # Long enough for the model released last to reach an age of `moments` days.
    released = [record.released_at or FIRST_DAY for record in newest.values()]
    span = (max(released) - FIRST_DAY).days + moments
    schedule = make_schedule(random, FIRST_DAY, span)
    stalls = _stalls(random, schedule)
    steps = random.choice([STEPS[:1], STEPS[:1] * 12 + STEPS, STEPS[:1] * 3 + STEPS])
    scale = random.choice([1, 10, 1000, 10**6])
    some_end_early = random.randint(0, 2) == 2
    observations = []
    for record in newest.values():
        late = timedelta(days=random.choice([0, 0, 0, 0, 3, 8, -4]))
        start = datetime.combine(record.released_at or FIRST_DAY, time(), schedule[0].tzinfo) + late
        # Some end early, so that their latest age is one that others have points around.
        most = random.randint(1, moments) if some_end_early and random.randint(0, 1) else moments
        theirs = [at for at in schedule if at >= start][:most]
        bulk = Random(random.randint(0, 2**16))
        counter = make_counter(bulk, theirs, stalls, steps=steps, scale=scale)
        observations += [
            Observation(
                source=source,
                origin="live",
                model_id=record.model_id,
                observed_at=at,
                downloads_all_time=count,
                downloads_30d=bulk.choice([None, count, 12]),
                likes=bulk.choice([None, 0, 34]),
            )
            for at, count in counter
        ]
    return observations


def _stalls(random: Random, schedule: list[datetime]) -> set[datetime]:
    stalls: set[datetime] = set()
    for _ in range(random.choice([0, 1, 3])):
        first = random.randint(0, len(schedule) - 1)
        stalls.update(schedule[first : first + random.randint(1, 4)])
    return stalls


def _contradictions(random: Random, observations: list[Observation]) -> list[Observation]:
    most = random.choice([0, 0, 1 + len(observations) // 30])
    if not observations or not most:
        return []
    return [_another(random, random.choice(observations)) for _ in range(random.randint(1, most))]


def _another(random: Random, one: Observation) -> Observation:
    changed: dict[str, Any] = random.choice(
        [
            {"origin": "live"},
            {"origin": "an-archive"},
            {"downloads_all_time": None, "likes": 7},
            {
                "downloads_all_time": min((one.downloads_all_time or 0) + 5, MAX_COUNTER),
                "downloads_30d": None,
            },
            {"downloads_all_time": (one.downloads_all_time or 0) // 2},
        ]
    )
    return replace(one, **changed)
