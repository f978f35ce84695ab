"""Invented histories: observations of a registry's models on a Hub that behaves as the real one.

They have renewals once a day, half and full stalls, slow days, rollbacks, corrections, bursts, dead
counters, gaps, null counters, hourly, daily and irregular scrapes, and hostile counters besides.

Everything is drawn from a `random.Random`, so that one generator serves hypothesis (which records
and shrinks its seed) and long runs. Each model draws from its own `Random`, so that a change of
one model leaves the others as they are.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any

from breakout.contract.events import MAX_COUNTER, ModelRecord

from .inputs import Observation
from .invented_counters import Incidents, make_hostile_counter, make_hub, make_incidents, observe
from .registries import FIRST_DAY, make_registry
from .schedules import make_schedule

# Longer representations are unreadable.
LONGEST_REPR = 40
YOUNG_FROM = 2025
"""Half stalls hit the repositories created in or after that year."""


@dataclass(frozen=True)
class History:
    """Observations, each once but some contradictory, and all registry records."""

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

    Some models have observations at other sources, and one may be missing in the registry.
    """
    count = random.randint(1, models) if random.randint(0, 3) == 0 else models
    records = make_registry(random, count)
    newest = {record.model_id: record for record in records}
    observations = _observe(random, "huggingface", newest, times)
    for source in random.choice([(), (), ("modelscope",), ("modelscope", "another-hub")]):
        few = dict(list(newest.items())[:3])
        observations += _observe(random, source, few, min(times, 10))
    if random.randint(0, 5) == 5:
        observations = [_unregistered(one) for one in observations[:3]] + observations
    observations += _contradictions(random, observations)
    # A scrape counts its observations, and cannot tell a repeated one from a slice sent twice.
    return History(list(dict.fromkeys(observations)), records)


def _unregistered(one: Observation) -> Observation:
    return replace(one, model_id="unregistered/model")


def _observe(
    random: Random, source: str, newest: dict[str, ModelRecord], times: int
) -> list[Observation]:
    # Long enough for the model released last to reach an age of `times` days.
    released = [record.released_at or FIRST_DAY for record in newest.values()]
    span = (max(released) - FIRST_DAY).days + times
    schedule = make_schedule(random, FIRST_DAY, span)
    incomplete = set(random.sample(schedule, min(len(schedule), random.choice([0, 0, 3]))))
    first = datetime.combine(FIRST_DAY, time(), tzinfo=UTC)
    incidents = make_incidents(random, max((schedule[-1] - first).days + 1, 1))
    scale = random.choice([1, 10, 1000, 10**6])
    hostile = random.choice([0, 0, 0.05, 0.3])
    eventful = random.choice([0, 0.2, 0.5])
    some_end_early = random.randint(0, 2) == 2
    observations = []
    for record in newest.values():
        late = timedelta(days=random.choice([0, 0, 0, 0, 3, 8, -4]))
        start = datetime.combine(record.released_at or FIRST_DAY, time(), tzinfo=UTC) + late
        # Some end early, so that their latest age is one that others have points around.
        most = random.randint(1, times) if some_end_early and random.randint(0, 1) else times
        bulk = Random(random.randint(0, 2**16))
        times_of_model = _with_gaps(bulk, [at for at in schedule if at >= start][:most])
        if bulk.random() < hostile:
            counts = make_hostile_counter(bulk, times_of_model, scale=scale)
        else:
            counts = _observe_hub(bulk, record, incidents, first, times_of_model, scale, eventful)
        observations += [
            Observation(
                source=source,
                origin="live",
                model_id=record.model_id,
                observed_at=at,
                downloads_all_time=count,
                downloads_30d=bulk.choice([None, count, 12]),
                likes=bulk.choice([None, 0, 34]),
                complete=at not in incomplete,
            )
            for at, count in counts
        ]
    return observations


def _with_gaps(random: Random, times: list[datetime]) -> list[datetime]:
    """Leave some out: every now and then one, and in some models several in a row."""
    missed = random.choice([0, 0, 0.02, 0.2])
    kept = [at for at in times if random.random() >= missed]
    if kept and random.randint(0, 5) == 0:
        first = random.randrange(len(kept))
        del kept[first : first + random.randint(3, 8)]
    return kept


def _observe_hub(
    random: Random,
    record: ModelRecord,
    incidents: Incidents,
    first: datetime,
    times: list[datetime],
    scale: int,
    eventful: float,
) -> list[tuple[datetime, int | None]]:
    made = make_hub(
        random,
        incidents,
        scale=scale,
        young=record.created_at is not None and record.created_at.year >= YOUNG_FROM,
        eventful=random.random() < eventful,
    )
    return observe(random, made, first, times, nulls=random.choice([0, 0, 0, 0.1]))


def _contradictions(random: Random, observations: list[Observation]) -> list[Observation]:
    most = random.choice([0, 0, 1 + len(observations) // 30])
    if not observations or not most:
        return []
    return [_another(random, random.choice(observations)) for _ in range(random.randint(1, most))]


def _another(random: Random, one: Observation) -> Observation:
    changed: dict[str, Any] = random.choice(
        [
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
