"""The cost of an observation as models and history grow, and the memory per model.

Records have the same number of observations for any number of models, so that only the state grows.
No model has points: the throughput includes the cost of RAM.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter

from bench.figures import Figure, Ratio, Target
from bench.measured_pipeline import (
    measured_pipeline,
    start_worker,
    wait_observations,
    write_history,
)
from bench.publishing import publish
from bench.sizes import Sizes
from bench.workload import Workload

NAME = "growth"
RECORD_MODELS = 250
_SECONDS = 300.0


def by_models(models: int) -> str:
    """Return the name of the figure for a number of models."""
    return f"{models:,} models"


RATIOS = (
    Ratio(
        "cost at 1,000,000 models / at 1,000",
        (NAME, by_models(1_000_000)),
        (NAME, by_models(1_000)),
        Target(1.5, at_least=False),
    ),
)


@dataclass(frozen=True)
class Cost:
    """Cost of one observation, and the worker's memory after all of them."""

    wall_us: float
    cpu_us: float
    memory_mb: float

    def figure(self, name: str, note: str) -> Figure:
        """Return it as a figure."""
        note = f"{self.cpu_us:.2f} µs of the worker's CPU, {self.memory_mb:.0f} MB; {note}"
        return Figure(NAME, name, self.wall_us, "µs", note)


def figures(sizes: Sizes, report: Callable[[str], None]) -> Iterator[Figure]:
    """Yield the cost by models and by history, and the memory per model."""
    size = sizes.growth
    costs: dict[int, Cost] = {}
    for models in size.models:
        report(by_models(models))
        costs[models] = cost(models, max(1, size.observations // models), history_hours=0)
        yield costs[models].figure(by_models(models), f"{RECORD_MODELS} observations per record")
    few, many = min(costs), max(costs)
    more_mb = costs[many].memory_mb - costs[few].memory_mb
    note = f"from {few:,} to {many:,} models"
    yield Figure(NAME, "memory of a model", 2**20 * more_mb / (many - few), "bytes", note)
    models = size.history_models
    for rows in size.history:
        report(f"a history of {rows:,} observations")
        found = cost(models, max(1, size.observations // models), history_hours=rows // models)
        yield found.figure(f"history of {rows:,} observations", f"{models:,} models")


def cost(models: int, scrapes: int, *, history_hours: int) -> Cost:
    """Measure one worker on a new pipeline."""
    workload = Workload(models)
    with measured_pipeline() as pipeline:
        write_history(pipeline, models, history_hours)
        process = start_worker(pipeline)
        publish(pipeline.bootstrap, workload.slices(0, 0))
        wait_observations(pipeline, process, models, _SECONDS)
        pipeline.wait_caught_up(_SECONDS)
        records = workload.slices(1, scrapes, size=RECORD_MODELS)
        publish(pipeline.bootstrap, records, before=process.pause)
        used = process.cpu_seconds
        process.resume()
        started = perf_counter()
        observations = models * scrapes
        wait_observations(pipeline, process, models + observations, _SECONDS)
        took = perf_counter() - started
        used = process.cpu_seconds - used
        return Cost(1e6 * took / observations, 1e6 * used / observations, process.memory_mb())
