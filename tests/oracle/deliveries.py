"""Arrivals of a history: slices and registry records, late, shuffled and repeated."""

from dataclasses import dataclass
from datetime import datetime
from random import Random

from breakout.contract.events import DownloadsSlice, ModelRecord

from .histories import LONGEST_REPR, History
from .inputs import Observation

Arrival = DownloadsSlice | ModelRecord


@dataclass(frozen=True)
class Delivery:
    """A history, and all of it in an order of arrival."""

    history: History
    arrivals: list[Arrival]

    def __repr__(self) -> str:
        if len(self.arrivals) > LONGEST_REPR:
            return f"Delivery({self.history!r}, <{len(self.arrivals)} arrivals>)"
        return f"Delivery({self.history!r}, {self.arrivals!r})"


def make_delivery(random: Random, history: History) -> Delivery:
    """Deliver all of the history at least once, in a random order of arrival.

    A slice has one source, origin and observation time, and each model at most once. Repeated
    slices and records are equal to the first, as those of a collector that runs again are.
    """
    longest = random.choice([1000, 8, 3, 1])
    disorder = random.choice(["none", "late", "backwards", "any"])
    repeats = random.randint(0, 2)
    bulk = Random(random.randint(0, 2**16))

    slices = _slices(bulk, history.observations, longest)
    arrivals: list[Arrival] = [*slices, *history.models]
    arrivals.sort(key=lambda arrival: arrival.observed_at)
    for _ in range(repeats):
        first = bulk.randint(0, len(slices))
        arrivals += [
            *slices[first : first + bulk.randint(1, 40)],
            *bulk.sample(history.models, k=1),
        ]
    if disorder == "late":
        for _ in range(1 + len(arrivals) // 8):
            late = arrivals.pop(bulk.randint(0, len(arrivals) - 1))
            arrivals.insert(bulk.randint(0, len(arrivals)), late)
    elif disorder == "backwards":
        arrivals.reverse()
    elif disorder == "any":
        bulk.shuffle(arrivals)
    return Delivery(history, arrivals)


def _slices(random: Random, observations: list[Observation], longest: int) -> list[DownloadsSlice]:
    scrapes: dict[tuple[str, str, datetime], list[Observation]] = {}
    for one in observations:
        scrapes.setdefault((one.source, one.origin, one.observed_at), []).append(one)
    slices: list[DownloadsSlice] = []
    for (source, origin, observed_at), waiting in scrapes.items():
        number = 0
        while waiting:
            size = random.randint(1, min(longest, len(waiting)))
            first_of_each = {one.model_id: one for one in reversed(waiting)}
            taken = list(first_of_each.values())[:size]
            for one in taken:
                waiting.remove(one)
            slices.append(
                DownloadsSlice(
                    source=source,
                    origin=origin,
                    scrape_id=f"{source}-{origin}-{observed_at:%Y%m%dT%H%M%S.%f}",
                    slice=number,
                    observed_at=observed_at,
                    complete=all(one.complete for one in taken),
                    models=[one.model_id for one in taken],
                    downloads_all_time=[one.downloads_all_time for one in taken],
                    downloads_30d=[one.downloads_30d for one in taken],
                    likes=[one.likes for one in taken],
                )
            )
            number += 1
    return slices
