"""Random histories of grids, with crashes and repeated slices: the tables follow from the end."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest

from breakout.contract import DailySlice
from tests.streams.ram.memory import MemoryRam
from tests.streams.ram.slices import CHANGED, RELEASED, WITHDRAWN, Entry, GridRow, day_of, slice_of

MODELS = [f"org/model-{number:02}" for number in range(14)]


class History:
    """The truth of all models, and the slices that told of it, in the order of their batches."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.known = 0
        self.slices: list[DailySlice] = []
        self.grids: list[dict[str, dict[int, GridRow]]] = []
        """What `daily_log` held when each slice was sent."""
        self.entries = {model_id: Entry(model_id) for model_id in MODELS}
        for model_id in MODELS:
            self.append_days(model_id, random.randint(0, 12))
        for _ in range(50):
            self.step()
        for model_id in MODELS[2:]:  # baselines need ten peers
            if self.entries[model_id].released_at is None or not self.entries[model_id].tracked:
                self.register(model_id, released_at=RELEASED, tracked=True)
            self.append_days(model_id, random.choice((2, 10)))

    def step(self) -> None:
        model_id = self.random.choice(MODELS)
        actions = (
            *[self.append] * 5, self.restate, self.restate, self.withdraw, self.move, self.leave,
            self.untrack,
        )  # fmt: skip
        self.random.choice(actions)(model_id)

    def append(self, model_id: str) -> None:
        self.append_days(model_id, self.random.choice((1, 1, 2, 8)))

    def append_days(self, model_id: str, count: int) -> None:
        rows = self.entries[model_id].rows
        first = max(rows, default=day_of(self.random.randint(-1, 4))) + bool(rows)
        total = rows[first - 1].cumulative if rows else self.random.randint(0, 900)
        assert total is not None
        new = {}
        for day in range(first, first + count):
            grown = None
            if rows:
                grown = self.random.choice((0, 5, 20, 90, 90, 90, 9_000))
                correction = self.random.choice((*[0] * 30, total))
                total = total + grown - correction
            new[day] = GridRow(total, grown, gap=self.random.random() < 0.05)
            rows[day] = new[day]
        self.say(model_id, new)

    def restate(self, model_id: str) -> None:
        rows = self.entries[model_id].rows
        if not rows:
            return
        day = self.random.choice(list(rows))
        row = rows[day]
        grown = None if row.downloads is None else self.random.choice((0, 9, 600))
        rows[day] = GridRow(self.random.randint(0, 5_000), grown, gap=self.random.random() < 0.2)
        self.say(model_id, {day: rows[day]})

    def withdraw(self, model_id: str) -> None:
        rows = self.entries[model_id].rows
        if rows:
            day = max(rows)
            del rows[day]
            self.say(model_id, {day: WITHDRAWN})

    def move(self, model_id: str) -> None:
        released_at = RELEASED + timedelta(days=self.random.randint(0, 3))
        self.register(model_id, released_at=released_at)

    def leave(self, model_id: str) -> None:
        self.register(model_id, released_at=None)

    def untrack(self, model_id: str) -> None:
        self.register(model_id, tracked=not self.entries[model_id].tracked)

    def register(self, model_id: str, **changes: object) -> None:
        entry = self.entries[model_id]
        for name, value in changes.items():
            setattr(entry, name, value)
        entry.changed_at = CHANGED + timedelta(hours=len(self.slices))
        self.say(model_id, {}, reread="released_at" in changes and entry.released_at is not None)

    def say(self, model_id: str, rows: dict[int, GridRow], *, reread: bool = False) -> None:
        self.known += 1
        entry = self.entries[model_id]
        entry.known = self.known
        entry.knot = last_knot(entry)
        told = replace(entry, rows={} if entry.released_at is None else rows, reread=reread)
        self.slices.append(slice_of(told))
        self.grids.append({one: dict(other.rows) for one, other in self.entries.items()})


def last_knot(entry: Entry) -> tuple[datetime, int] | None:
    """Return the knot that follows from the rows."""
    fresh = slice_of(replace(entry, knot=None))
    at, total = fresh.knot_at[0], fresh.knot_cumulative[0]
    return None if at is None or total is None else (at, total)


def deliver(ram: MemoryRam, history: History, random: Random) -> None:
    """Deliver the slices in batches; a crash repeats its batch, or from further back."""
    position = 0
    while position < len(history.slices):
        end = min(position + random.choice((1, 2, 5, 20)), len(history.slices))
        # The grid is at least as new as the last slice of the batch.
        ram.daily = history.grids[random.randint(end, len(history.slices)) - 1]
        crash = random.random() < 0.3
        ram.process(*history.slices[position:end], write_points=random.random() if crash else 1.0)
        position = max(position - random.choice((0, 0, 7)), 0) if crash else end


@pytest.mark.parametrize(
    "seed", [*range(12), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(12, 200))]
)
def test_tables_equal_one_batch_over_the_final_grid(seed: int) -> None:
    random = Random(seed)
    history = History(random)
    streamed, batch = (MemoryRam(min_age=3, max_age=20) for _ in range(2))
    deliver(streamed, history, random)
    batch.process(slice_of(*history.entries.values()))
    assert streamed.point_rows() == batch.point_rows()
    assert streamed.breakout_rows() == batch.breakout_rows()
    assert baselines(streamed) == baselines(batch)
    assert streamed.latest_rows() == batch.latest_rows()


def baselines(ram: MemoryRam) -> dict[tuple[str, int], object]:
    return {key: row for key, (_, row) in ram.baselines.items() if row[0]}
