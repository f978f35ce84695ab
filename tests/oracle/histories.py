"""Invented histories: observations of a registry's models, with realistic and hostile cases.

Everything is drawn from a `random.Random`, so that one generator serves hypothesis (which records
and shrinks its seed) and long runs. Each model draws from its own `Random`, so that a change of
one model leaves the others as they are.
"""

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from random import Random
from typing import Any

from breakout.contract.events import MAX_COUNTER, ModelRecord

from .inputs import Observation
from .invented_counters import STEPS, make_counter
from .registries import FIRST_DAY, make_registry
from .schedules import make_schedule

# Longer representations are unreadable.
LONGEST_REPR = 40


@dataclass(frozen=True)
class History:
    """Observations, some repeated or contradictory, and all registry records."""

    observations: list[Observation]
    models: list[ModelRecord]

    def __repr__(self) -> str:
        if len(self.observations) > LONGEST_REPR:
            return f"History(<{len(self.observations)} observations>, <{len(self.models)} records>)"
        return f"History({self.observations!r}, {self.models!r})"

    def renamed(self, prefix: str) -> "History":
        """Return the history with other model ids, so that histories do not share models."""

        def rename(model_id: str) -> str:
            org, _, name = model_id.partition("/")
            return f"{org}/{prefix}-{name}"

        return History(
            [replace(one, model_id=rename(one.model_id)) for one in self.observations],
            [one.model_copy(update={"model_id": rename(one.model_id)}) for one in self.models],
        )


def make_history(random: Random, *, models: int = 12, times: int = 25) -> History:
    """Invent a history of up to `models` models with up to `times` observations each.

    Some models have a second source, and one model may be missing in the registry.
    """
    count = random.randint(1, models) if random.randint(0, 3) == 0 else models
    records = make_registry(random, count)
    newest = {record.model_id: record for record in records}
    observations = _observe(random, "huggingface", newest, times)
    if random.randint(0, 2) == 2:
        few = dict(list(newest.items())[:3])
        observations += _observe(random, "modelscope", few, min(times, 10))
    if random.randint(0, 5) == 5:
        observations = [_unregistered(one) for one in observations[:3]] + observations
    return History(observations + _contradictions(random, observations), records)


def _unregistered(one: Observation) -> Observation:
    return replace(one, model_id="unregistered/model")


def _observe(
    random: Random, source: str, newest: dict[str, ModelRecord], times: int
) -> list[Observation]:
    # Long enough for the model released last to reach an age of `times` days.
    released = [record.released_at or FIRST_DAY for record in newest.values()]
    span = (max(released) - FIRST_DAY).days + times
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
        most = random.randint(1, times) if some_end_early and random.randint(0, 1) else times
        times_of_model = [at for at in schedule if at >= start][:most]
        bulk = Random(random.randint(0, 2**16))
        counter = make_counter(bulk, times_of_model, stalls, steps=steps, scale=scale)
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
