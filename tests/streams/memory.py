"""The processors' states on dictionaries instead of Kafka and ClickHouse.

Tables keep the row with the greatest version of each key, of equal versions the last one written.
A restart drops the states and loads them again.
"""

from random import Random
from typing import Any

import numpy as np

from breakout.contract import DownloadsSlice, ModelRecord, PointsSlice
from breakout.core.arrays import NULL
from breakout.core.times import from_ms, to_ms
from streams.columns import Columns
from streams.downloads.points import points_slice, withdrawal_slice
from streams.downloads.state import (
    RAM_SOURCE,
    Cleaned,
    History,
    Late,
    RamInputs,
    Republished,
    Result,
    ScrapeCount,
    State,
)
from streams.ram.changes import Changes, LatestRow
from streams.ram.state import BinState
from tests.support.slices import planned

Row = dict[str, Any]


class Table:
    """A ReplacingMergeTree(version)."""

    def __init__(self) -> None:
        self.rows: dict[Any, tuple[int, Row]] = {}

    def put(self, key: Any, version: int, row: Row) -> None:
        known = self.rows.get(key)
        if known is None or known[0] <= version:
            self.rows[key] = (version, row)

    def final(self) -> dict[Any, Row]:
        return {key: row for key, (_, row) in self.rows.items()}


class MemoryPipeline:
    """One partition and all size bins."""

    def __init__(self, *, min_age: int = 7, max_age: int = 90) -> None:
        self.ages = (min_age, max_age)
        self.downloads = Table()
        self.scrapes = Table()
        self.models: dict[str, ModelRecord] = {}
        self.points = Table()
        self.latest = Table()
        self.baselines = Table()
        self.breakouts = Table()
        self.state = State()
        self.bins: dict[str, BinState] = {}

    # The downloads processor.

    def work(self, batch: list[DownloadsSlice | ModelRecord], *, crash: str = "") -> None:
        """Process a batch; `crash` drops the state after "points", "rows" or the "end"."""
        slices = [one for one in batch if isinstance(one, DownloadsSlice)]
        records = [one for one in batch if isinstance(one, ModelRecord)]
        plan = planned(self.state, slices)
        history = self._history(plan.late)
        for scrape in self.state.unknown_scrapes(plan, history):
            self.state.scrapes[scrape] = self._scrape_count(*scrape)
        result = self.state.apply(plan, history)
        self.process_points(
            [points_slice(name, one, reset=False) for name, one in result.points.items()]
        )
        if crash == "points":
            self.restart()
            return
        self._write(result)
        if crash == "rows":
            self.restart()
            return
        self._republish(self.state.register(records))
        for record in records:
            known = self.models.get(record.model_id)
            if known is None or known.observed_at <= record.observed_at:
                self.models[record.model_id] = record
        if crash == "end":
            self.restart()

    def _write(self, result: Result) -> None:
        for (source, ms), count in result.scrapes.items():
            self.scrapes.put((source, from_ms(ms)), result.version, vars(count).copy())
        rows, columns, cleaned = result.rows, result.rows.columns, result.rows.cleaned
        models = rows.models.to_pylist()
        for index, series in enumerate(rows.series.tolist()):
            model_id, source = models[series], rows.sources[rows.source[series]]
            at = from_ms(int(columns.at[index]))
            row = {
                "model_id": model_id,
                "source": source,
                "observed_at": at,
                "origin": self.state.origins[columns.origin[index]],
                "downloads_all_time": _null(columns.raw[index]),
                "downloads_30d": _null(columns.downloads_30d[index]),
                "likes": _null(columns.likes[index]),
                "cumulative": _null(cleaned.cumulative[index]),
                "delta": _null(cleaned.delta[index]),
                "revision": _null(cleaned.revision[index]),
                "standing": None
                if cleaned.standing[index] == NULL
                else bool(cleaned.standing[index]),
                "jump": bool(cleaned.jump[index]),
            }
            self.downloads.put((model_id, source, at), rows.version, row)

    def _republish(self, republished: list[Republished]) -> None:
        for one in republished:
            known = self.state.version
            if one.left_bin is not None:
                self.process_points(
                    [withdrawal_slice(one.model_id, one.left_bin, one.registry_changed_at, known)]
                )
            if not one.inputs.has_points:
                continue
            series = sorted(
                (to_ms(row["observed_at"]), row["cumulative"])
                for row in self.downloads.final().values()
                if row["model_id"] == one.model_id
                and row["source"] == RAM_SOURCE
                and row["cumulative"] is not None
            )
            at = np.array([ms for ms, _ in series], dtype=np.int64)
            total = np.array([cumulative for _, cumulative in series], dtype=np.int64)
            points = self.state.points_of(one, at, total)
            self.process_points([points_slice(str(one.inputs.size_bin), points, reset=True)])

    def restart(self) -> None:
        """Drop all state and load it again."""
        self.state = State()
        series: dict[tuple[str, str], list[tuple[int, Row]]] = {}
        for (model_id, source, at), (version, row) in self.downloads.rows.items():
            series.setdefault((source, model_id), []).append((to_ms(at), row))
            self.state.version = max(self.state.version, version)
        for (source, model_id), rows in series.items():
            rows.sort(key=lambda one: one[0])
            counted = [one for one in rows if one[1]["cumulative"] is not None]
            last = (
                (
                    counted[-1][0],
                    counted[-1][1]["downloads_all_time"],
                    counted[-1][1]["cumulative"],
                )
                if counted
                else (NULL, NULL, NULL)
            )
            columns = (np.array([value], dtype=np.int64) for value in (rows[-1][0], *last))
            self.state.restore(source, [model_id], *columns)
        for model_id, record in self.models.items():
            self.state.restore_model(model_id, to_ms(record.observed_at), RamInputs.of(record))
        self.bins = {}

    def _history(self, late: list[Late] | Any) -> History | None:
        if not late:
            return None
        picked: list[tuple[int, Row]] = []
        for one in late:
            own = sorted(
                (
                    (to_ms(row["observed_at"]), row)
                    for row in self.downloads.final().values()
                    if (row["model_id"], row["source"]) == (one.model_id, one.source)
                ),
                key=lambda pair: pair[0],
            )
            before = [row for at, row in own if at < one.first_at and row["cumulative"] is not None]
            inside = [
                row
                for at, row in own
                if at >= one.first_at
                and (
                    at <= one.last_at
                    or (row["cumulative"] is not None and row["cumulative"] < one.highest)
                )
            ]
            after = [
                row
                for at, row in own
                if at > one.last_at
                and row["cumulative"] is not None
                and row["cumulative"] >= one.highest
            ]
            picked += [(one.slot, row) for row in before[-1:] + inside + after[:1]]
        rows = [row for _, row in picked]

        def column(name: str) -> Any:
            return np.array([NULL if row[name] is None else row[name] for row in rows], np.int64)

        return History(
            Columns(
                np.array([slot for slot, _ in picked], dtype=np.int64),
                np.array([to_ms(row["observed_at"]) for row in rows], dtype=np.int64),
                column("downloads_all_time"),
                column("downloads_30d"),
                column("likes"),
                np.array([self.state.origin(row["origin"]) for row in rows], dtype=np.int64),
            ),
            Cleaned(
                column("cumulative"),
                column("delta"),
                column("revision"),
                column("standing").astype(np.int8),
                column("jump").astype(bool),
            ),
        )

    def _scrape_count(self, source: str, at: int) -> ScrapeCount:
        own = [
            row
            for row in self.downloads.final().values()
            if row["source"] == source and to_ms(row["observed_at"]) == at
        ]
        return ScrapeCount(
            len(own),
            sum(row["standing"] is not None for row in own),
            sum(row["standing"] is True for row in own),
        )

    # The RAM processor.

    def process_points(self, slices: list[PointsSlice]) -> None:
        """Process slices of points, one batch per size bin."""
        by_bin: dict[str, list[PointsSlice]] = {}
        for one in slices:
            by_bin.setdefault(one.size_bin, []).append(one)
        for size_bin, group in by_bin.items():
            if size_bin not in self.bins:
                self.bins[size_bin] = self._restored_bin(size_bin)
            state = self.bins[size_bin]
            changes = Changes(size_bin, state.version)
            for slice_ in group:
                state.update(slice_, changes)
            state.recompute(changes)
            self._write_ram(changes)

    def _restored_bin(self, size_bin: str) -> BinState:
        state = BinState(size_bin, *self.ages)
        for (name, _), (version, row) in self.latest.rows.items():
            if name == size_bin:
                state.matrix.restore_models([row["row"]])
                state.version = max(state.version, version)
        for (name, age, model_id), (version, row) in self.points.rows.items():
            if name == size_bin:
                cumulative = NULL if row["cumulative"] is None else row["cumulative"]
                state.matrix.restore_points([model_id], np.array([age]), np.array([cumulative]))
                state.version = max(state.version, version)
        state.settle()
        return state

    def _write_ram(self, changes: Changes) -> None:
        name, version = changes.size_bin, changes.version
        for base in changes.baselines:
            self.baselines.put(
                (base.baseline, name, base.age),
                version,
                {
                    "peers": base.peers,
                    "downloads": base.downloads,
                    "as_of": None if base.as_of is None else from_ms(base.as_of),
                },
            )
        for row in changes.breakouts:
            breakout = row.breakout
            self.breakouts.put(
                (row.baseline, name, row.model_id),
                version,
                {
                    "crossed_at": from_ms(breakout.crossed_at),
                    "age_days": breakout.age,
                    "ram": breakout.ram,
                    "ended_at": None if breakout.ended_at is None else from_ms(breakout.ended_at),
                    "retracted": row.status == "retracted",
                },
            )
        for rows in changes.points:
            for model, age, cumulative, as_of in zip(
                rows.model.tolist(),
                rows.age.tolist(),
                rows.cumulative.tolist(),
                rows.as_of.tolist(),
                strict=True,
            ):
                self.points.put(
                    (name, age, rows.models[model]),
                    version,
                    {"cumulative": _null(cumulative), "as_of": from_ms(as_of)},
                )
        for latest in changes.latest.values():
            self.latest.put((name, latest.model_id), version, {"row": latest})

    # The views.

    def tables(self) -> dict[str, dict[Any, Row]]:
        """Return rows by key, in the shape of the oracle's."""
        return {
            "downloads": self.downloads.final(),
            "scrapes": {
                key: {name: row[name] for name in ("models", "compared", "standing")}
                for key, row in self.scrapes.final().items()
            },
            "points": {
                key: row
                for key, row in self.points.final().items()
                if row["cumulative"] is not None
            },
            "baselines": {key: row for key, row in self.baselines.final().items() if row["peers"]},
            "breakouts": {
                (baseline, model_id): row
                for (baseline, _, model_id), row in self.breakouts.final().items()
                if not row["retracted"]
            },
            "latest": {
                model_id: _latest(row["row"])
                for (_, model_id), row in self.latest.final().items()
                if row["row"].day0 is not None and row["row"].observed_at is not None
            },
        }


def deliver(
    pipeline: MemoryPipeline,
    arrivals: list[DownloadsSlice | ModelRecord],
    random: Random,
    *,
    crashes: bool,
) -> None:
    """Deliver arrivals in batches of random size; crashes lose the state and repeat batches."""
    position = 0
    while position < len(arrivals):
        batch = arrivals[position : position + random.choice((1, 3, 10, 100))]
        crash = random.choice(("", "", "", "points", "rows", "end")) if crashes else ""
        pipeline.work(batch, crash=crash)
        if not crash or (crash == "end" and random.random() < 0.5):
            position += len(batch)


def _null(value: Any) -> int | None:
    return None if value == NULL else int(value)


def _latest(row: LatestRow) -> Row:
    assert row.observed_at is not None
    return {"observed_at": from_ms(row.observed_at), "cumulative": row.cumulative}
