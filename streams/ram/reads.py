"""Loads the state of the RAM processor, frozen baselines and the daily grid from ClickHouse."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Literal

import numpy as np

from breakout.contract.events import LATEST_DAY
from breakout.core.ages import MAX_AGE_DAYS
from breakout.core.ram import BUILT_IN, SOURCE, Baseline
from breakout.core.times import DAY_MS, day_ms
from streams.arrow import day_start_ms, int_column, iter_rows
from streams.clickhouse import WorkerClickHouse
from streams.ram.baselines import baseline_of
from streams.ram.changes import Breakout, LatestRow
from streams.ram.daily import DailyRows
from streams.ram.state import BinState

_EDGES: tuple[Literal["left"], Literal["right"]] = ("left", "right")

MAX_MODELS = 500
"""Models whose grid one query reads: bounds its text, and its result to 183,000 rows."""


def load_bins(
    clickhouse: WorkerClickHouse, size_bins: Sequence[str], min_age: int, max_age: int
) -> dict[str, BinState]:
    """Return the states of size bins, as stored in ClickHouse."""
    states = {size_bin: BinState(size_bin, min_age, max_age) for size_bin in size_bins}
    _restore_models(clickhouse, states)
    _restore_points(clickhouse, states)
    baselines = _load_baselines(clickhouse, size_bins)
    breakouts = _load_breakouts(clickhouse, size_bins)
    for size_bin, version in _load_versions(clickhouse, size_bins).items():
        states[size_bin].version = max(states[size_bin].version, version)
    for size_bin, state in states.items():
        stored = {name: one for (name, other), one in baselines.items() if other == size_bin}
        frozen = {name: one for name, one in stored.items() if name not in BUILT_IN}
        state.baselines.by_name.update(frozen)
        state.settle()
        state.compare(stored, breakouts.get(size_bin, {}))
    return states


def load_frozen(
    clickhouse: WorkerClickHouse, size_bins: Sequence[str]
) -> dict[tuple[str, str], Baseline]:
    """Return the frozen baselines of size bins, by name and size bin."""
    return _load_baselines(clickhouse, size_bins, exclude=BUILT_IN)


def load_daily(
    clickhouse: WorkerClickHouse, released: Mapping[str, Sequence[int]]
) -> dict[str, DailyRows]:
    """Return the Hub's grid of models, as far as it can hold points.

    `released` has each model's day 0, or several to choose from, in milliseconds since 1970. Rows
    may be newer than the slice that asks for them; then the slices after it change nothing.
    """
    found = {}
    # By release date: the models of one query share most of their days.
    ids = sorted(released, key=lambda model_id: min(released[model_id]))
    for start in range(0, len(ids), MAX_MODELS):
        part = ids[start : start + MAX_MODELS]
        day0 = [day for model_id in part for day in released[model_id]]
        table = clickhouse.query(
            """
            SELECT
                toString(model_id) AS model, toInt64(day) AS number,
                if(basis = 'gap', -1, toInt64(cumulative)) AS total,
                toInt64(ifNull(downloads, -1)) AS of_day
            FROM daily_log FINAL
            WHERE source = %(source)s AND model_id IN %(ids)s
                AND day >= toDate(%(first)s) AND day <= toDate(%(last)s)
            ORDER BY model_id
            """,
            {
                "source": SOURCE,
                "ids": part,
                "first": max(min(day0) // DAY_MS - 1, 0),
                "last": min(max(day0) // DAY_MS + MAX_AGE_DAYS - 1, day_ms(LATEST_DAY) // DAY_MS),
            },
        )
        models = np.array(table["model"].to_pylist(), dtype=object)
        columns = (int_column(table, name) for name in ("number", "total", "of_day"))
        rows = DailyRows(np.zeros(len(models), dtype=np.int64), *columns)
        for model_id in part:
            low, high = (int(np.searchsorted(models, model_id, side)) for side in _EDGES)
            found[model_id] = rows.only(slice(low, high))
    return found


def _restore_models(clickhouse: WorkerClickHouse, states: Mapping[str, BinState]) -> None:
    rows = clickhouse.query(
        """
        SELECT
            toString(size_bin), model_id, released_at, tracked,
            toUnixTimestamp64Milli(observed_at) AS at, toInt64(cumulative) AS total,
            toUnixTimestamp64Milli(registry_changed_at) AS since, known, version
        FROM latest_log FINAL
        WHERE size_bin IN %(bins)s
        """,
        {"bins": list(states)},
    )
    models: dict[str, list[LatestRow]] = {size_bin: [] for size_bin in states}
    for size_bin, model_id, released_at, *values, version in iter_rows(rows):
        day0 = None if released_at is None else day_start_ms(released_at)
        models[size_bin].append(LatestRow(model_id, day0, *values))
        states[size_bin].version = max(states[size_bin].version, version)
    for size_bin, latest in models.items():
        states[size_bin].matrix.restore_models(latest)


def _restore_points(clickhouse: WorkerClickHouse, states: Mapping[str, BinState]) -> None:
    rows = clickhouse.query(
        """
        SELECT
            toString(size_bin) AS bin, toString(model_id) AS model,
            toInt64(age_days) AS age, toInt64(ifNull(cumulative, -1)) AS total,
            toInt64(ifNull(downloads, -1)) AS of_day, version
        FROM points_log FINAL
        WHERE size_bin IN %(bins)s
        """,
        {"bins": list(states)},
    )
    bins = np.array(rows["bin"].to_pylist(), dtype=object)
    models = np.array(rows["model"].to_pylist(), dtype=object)
    names = ("age", "total", "of_day", "version")
    ages, totals, of_days, versions = (int_column(rows, name) for name in names)
    for size_bin, state in states.items():
        in_bin = bins == size_bin
        if in_bin.any():
            state.matrix.restore_points(
                models[in_bin].tolist(), ages[in_bin], totals[in_bin], of_days[in_bin]
            )
            state.version = max(state.version, int(versions[in_bin].max()))


def _load_baselines(
    clickhouse: WorkerClickHouse, size_bins: Sequence[str], exclude: Sequence[str] = ("",)
) -> dict[tuple[str, str], Baseline]:
    rows = clickhouse.query(
        """
        SELECT
            toString(baseline) AS name, toString(size_bin) AS bin, age_days, peers, downloads,
            toUnixTimestamp64Milli(as_of) AS at
        FROM baselines_log FINAL
        WHERE baseline NOT IN %(exclude)s AND size_bin IN %(bins)s AND peers > 0
        ORDER BY name, bin, age_days
        """,
        {"bins": list(size_bins), "exclude": list(exclude)},
    )
    return {
        key: baseline_of({age: (peers, count, at) for _, _, age, peers, count, at in group})
        for key, group in groupby(iter_rows(rows), key=lambda row: (row[0], row[1]))
    }


def _load_breakouts(
    clickhouse: WorkerClickHouse, size_bins: Sequence[str]
) -> dict[str, dict[str, dict[str, Breakout]]]:
    """Return the breakouts of size bins, by size bin, baseline and model id."""
    rows = clickhouse.query(
        """
        SELECT
            toString(size_bin), toString(baseline), model_id, age_days, ram,
            toUnixTimestamp64Milli(crossed_at), toUnixTimestamp64Milli(ended_at),
            toUnixTimestamp64Milli(confirmed_at), ram_capped, top_day_share
        FROM breakouts_log FINAL
        WHERE size_bin IN %(bins)s AND NOT retracted
        """,
        {"bins": list(size_bins)},
    )
    breakouts: dict[str, dict[str, dict[str, Breakout]]] = {}
    for size_bin, baseline, model_id, *breakout in iter_rows(rows):
        by_baseline = breakouts.setdefault(size_bin, {})
        by_baseline.setdefault(baseline, {})[model_id] = Breakout(*breakout)
    return breakouts


def _load_versions(clickhouse: WorkerClickHouse, size_bins: Sequence[str]) -> dict[str, int]:
    """Return the greatest version of the baselines and breakouts of each size bin."""
    rows = clickhouse.query(
        """
        SELECT toString(size_bin), max(version)
        FROM
        (
            SELECT size_bin, version FROM baselines_log WHERE size_bin IN %(bins)s
            UNION ALL
            SELECT size_bin, version FROM breakouts_log WHERE size_bin IN %(bins)s
        )
        GROUP BY size_bin
        """,
        {"bins": list(size_bins)},
    )
    return dict(iter_rows(rows))
