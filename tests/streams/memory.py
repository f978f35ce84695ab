"""Both processors of counters on dictionaries instead of Kafka and ClickHouse."""

from collections.abc import Iterable
from random import Random
from typing import Any

from breakout.contract import DailySlice, DownloadsSlice, ModelRecord
from breakout.core.arrays import NULL
from breakout.core.counters import State as CounterState
from breakout.core.grid import Basis
from breakout.core.ram import SOURCE
from breakout.core.times import DAY_MS, from_ms, to_ms
from streams.downloads.daily_slices import slices_of, slices_of_registry
from streams.downloads.registry import RamInputs
from streams.downloads.slice_columns import SliceColumns
from tests.streams.downloads.stored import Stored
from tests.streams.ram.memory import MemoryRam
from tests.streams.ram.slices import GridRow

Row = dict[str, Any]


class MemoryPipeline:
    """One partition and all size bins."""

    def __init__(self) -> None:
        self.stored = Stored()
        self.models: dict[str, ModelRecord] = {}
        self.bins: dict[str, MemoryRam] = {}

    def work(self, batch: list[DownloadsSlice | ModelRecord], *, crash: str = "") -> None:
        """Process a batch; `crash` ends the worker after "published", "grid", "rows" or "end"."""
        slices = [SliceColumns.of(one) for one in batch if isinstance(one, DownloadsSlice)]
        records = [one for one in batch if isinstance(one, ModelRecord)]
        result = self.stored.compute(slices)
        self._publish(slices_of(self.stored.state, result))
        if crash != "published":
            self.stored.write_grid(result)
        if crash not in {"published", "grid"}:
            self.stored.write_observations(result)
        if crash in {"published", "grid", "rows"}:
            self._restart()
            return
        changes = self.stored.state.registry.update(records)
        self._publish(slices_of_registry(self.stored.state, changes))
        for record in records:
            known = self.models.get(record.model_id)
            if known is None or known.observed_at <= record.observed_at:
                self.models[record.model_id] = record
        if crash:
            self._restart()

    def _restart(self) -> None:
        self.stored.restart()
        for record in self.models.values():
            self.stored.state.registry.restore(
                record.model_id, to_ms(record.observed_at), RamInputs.of(record)
            )
        for ram in self.bins.values():
            ram.state = ram.load()

    def _publish(self, slices: Iterable[tuple[str, DailySlice]]) -> None:
        for size_bin, made in slices:
            slice_ = DailySlice.model_validate_json(made.to_bytes())
            ram = self.bins.setdefault(size_bin, MemoryRam(size_bin=size_bin))
            if any(slice_.reread):
                ram.daily = self._grids()
            ram.process(slice_)

    def _grids(self) -> dict[str, dict[int, GridRow]]:
        grids: dict[str, dict[int, GridRow]] = {}
        for (source, model_id, day), row in self.stored.daily.final().items():
            if source == SOURCE:
                cumulative, downloads, _, basis, _ = row
                grids.setdefault(model_id, {})[day] = GridRow(
                    cumulative, _none(downloads), gap=basis == Basis.GAP
                )
        return grids

    def tables(self) -> dict[str, dict[Any, Row]]:
        """Return rows by key, in the shape of the oracle's."""
        return {
            "downloads_by_source_log": self._observations(),
            "downloads_daily_by_source": self._daily(),
            "points": {
                (size_bin, age, model_id): {"cumulative": row[0], "capped": row[2]}
                for size_bin, ram in self.bins.items()
                for (age, model_id), row in ram.point_rows().items()
                if row[0] is not None
            },
            "latest": {
                model_id: {"observed_at": from_ms(row.observed_at), "cumulative": row.cumulative}
                for ram in self.bins.values()
                for model_id, row in ram.latest_rows().items()
                if row.observed_at is not None
            },
            "baselines": {
                (name, size_bin, age): {
                    "peers": peers,
                    "downloads": downloads,
                    "as_of": from_ms(as_of),
                }
                for size_bin, ram in self.bins.items()
                for (name, age), (_, (peers, downloads, as_of)) in ram.baselines.items()
                if peers
            },
            "breakouts": {
                key: {
                    "crossed_at": from_ms(one.crossed_at),
                    "age_days": one.age,
                    "ram": one.ram,
                    "ended_at": None if one.ended_at is None else from_ms(one.ended_at),
                    "confirmed_at": None if one.confirmed_at is None else from_ms(one.confirmed_at),
                    "ram_capped": one.ram_capped,
                    "top_day_share": one.top_day_share,
                }
                for ram in self.bins.values()
                for key, one in ram.breakout_rows().items()
            },
        }

    def _observations(self) -> dict[Any, Row]:
        rows = {}
        for (source, model_id, at), row in self.stored.observations.final().items():
            raw, month, likes, origin, state, correction, *_ = row
            rows[model_id, source, from_ms(at)] = {
                "origin": self.stored.origins[origin],
                "downloads_all_time": _none(raw),
                "downloads_30d": _none(month),
                "likes": _none(likes),
                "state": None if state == NULL else CounterState(state).name.lower(),
                "correction": _none(correction),
            }
        return rows

    def _daily(self) -> dict[Any, Row]:
        rows = {}
        for (source, model_id, day), row in self.stored.daily.final().items():
            cumulative, downloads, correction, basis, _ = row
            rows[model_id, source, from_ms(day * DAY_MS).date()] = {
                "cumulative": cumulative,
                "downloads": _none(downloads),
                "correction": correction,
                "basis": Basis(basis).name.lower(),
            }
        return rows


def deliver(
    pipeline: MemoryPipeline,
    arrivals: list[DownloadsSlice | ModelRecord],
    random: Random,
    *,
    crashes: bool,
) -> None:
    """Deliver arrivals in batches of random size; crashes lose the state and repeat batches."""
    position = 0
    longest = random.choice((3, 10, 100, 1000))
    while position < len(arrivals):
        batch = arrivals[position : position + random.randint(1, longest)]
        stages = ("published", "grid", "rows", "end")
        crash = random.choice(stages) if crashes and random.random() < 0.3 else ""
        pipeline.work(batch, crash=crash)
        if not crash or (crash == "end" and random.random() < 0.5):
            position += len(batch)


def _none(value: int) -> int | None:
    return None if value == NULL else value
