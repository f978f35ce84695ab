"""What the RAM processor reads back from ClickHouse: its state and the frozen baselines."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from breakout.core.ram import BUILT_IN, Baseline
from streams.arrow import day_start_ms, int_column, rows_of
from streams.clickhouse import WorkerClickHouse
from streams.ram.state import BinState, Crossing, LatestRow, baseline_of


def load_bins(
    clickhouse: WorkerClickHouse, size_bins: Sequence[str], min_age: int, max_age: int
) -> dict[str, BinState]:
    """Return the state of size bins, as ClickHouse knows it."""
    states = {size_bin: BinState(size_bin, min_age, max_age) for size_bin in size_bins}
    where = {"bins": list(size_bins)}
    latest = clickhouse.query(
        """
        SELECT
            toString(size_bin), model_id, released_at, tracked,
            toUnixTimestamp64Milli(observed_at) AS at, toInt64(cumulative) AS total,
            toUnixTimestamp64Milli(registry_changed_at) AS since, known, version
        FROM latest_log FINAL
        WHERE size_bin IN %(bins)s
        """,
        where,
    )
    scored: dict[str, list[LatestRow]] = {size_bin: [] for size_bin in size_bins}
    for size_bin, model_id, released_at, tracked, at, cumulative, *known, version in rows_of(
        latest
    ):
        day0 = None if released_at is None else day_start_ms(released_at)
        scored[size_bin].append(
            LatestRow(model_id, day0, tracked, at, cumulative, (known[0], known[1]))
        )
        states[size_bin].version = max(states[size_bin].version, version)
    for size_bin, rows in scored.items():
        states[size_bin].restore_models(rows)
    points = clickhouse.query(
        """
        SELECT
            toString(size_bin) AS bin, toString(model_id) AS model,
            toInt64(age_days) AS age, toInt64(ifNull(cumulative, -1)) AS total, version
        FROM points_log FINAL
        WHERE size_bin IN %(bins)s
        """,
        where,
    )
    names = np.array(points["bin"].to_pylist(), dtype=object)
    models = np.array(points["model"].to_pylist(), dtype=object)
    ages, totals, versions = (int_column(points, name) for name in ("age", "total", "version"))
    for size_bin, state in states.items():
        own = names == size_bin
        if own.any():
            state.restore_points(models[own].tolist(), ages[own], totals[own])
            state.version = max(state.version, int(versions[own].max()))
    baselines = _load_baselines(clickhouse, size_bins)
    crossings: dict[str, dict[str, dict[str, Crossing]]] = {}
    for size_bin, name, model_id, crossing in _load_crossings(clickhouse, size_bins):
        crossings.setdefault(size_bin, {}).setdefault(name, {})[model_id] = crossing
    for size_bin, version in _load_versions(clickhouse, size_bins):
        states[size_bin].version = max(states[size_bin].version, version)
    for size_bin, state in states.items():
        own = {name: one for (name, where), one in baselines.items() if where == size_bin}
        for name in own.keys() - set(BUILT_IN):
            state.freeze(name, own[name])
        state.settle()
        state.compare(own, crossings.get(size_bin, {}))
    return states


def load_frozen(
    clickhouse: WorkerClickHouse, size_bins: Sequence[str]
) -> Iterator[tuple[str, str, Baseline]]:
    """Yield the frozen baselines of size bins: name, size bin, baseline."""
    for (name, size_bin), baseline in _load_baselines(clickhouse, size_bins, BUILT_IN).items():
        yield name, size_bin, baseline


def _load_baselines(
    clickhouse: WorkerClickHouse, size_bins: Sequence[str], without: Sequence[str] = ("",)
) -> dict[tuple[str, str], Baseline]:
    rows = clickhouse.query(
        """
        SELECT
            toString(baseline) AS name, toString(size_bin) AS bin, age_days, peers, downloads,
            toUnixTimestamp64Milli(as_of) AS moment
        FROM baselines_log FINAL
        WHERE baseline NOT IN %(without)s AND size_bin IN %(bins)s AND peers > 0
        ORDER BY name, bin, age_days
        """,
        {"bins": list(size_bins), "without": list(without)},
    )
    return {
        key: baseline_of({age: (peers, count, at) for _, _, age, peers, count, at in group})
        for key, group in groupby(rows_of(rows), key=lambda row: (row[0], row[1]))
    }


def _load_crossings(
    clickhouse: WorkerClickHouse, size_bins: Sequence[str]
) -> Iterator[tuple[str, str, str, Crossing]]:
    """Yield the crossings of size bins: size bin, baseline, model id, crossing."""
    rows = clickhouse.query(
        """
        SELECT
            toString(size_bin), toString(baseline), model_id, age_days, ram,
            toUnixTimestamp64Milli(crossed_at), toUnixTimestamp64Milli(ended_at)
        FROM breakouts_log FINAL
        WHERE size_bin IN %(bins)s AND NOT retracted
        """,
        {"bins": list(size_bins)},
    )
    for size_bin, name, model_id, *crossing in rows_of(rows):
        yield size_bin, name, model_id, Crossing(*crossing)


def _load_versions(
    clickhouse: WorkerClickHouse, size_bins: Sequence[str]
) -> Iterator[tuple[str, int]]:
    """Yield the greatest version among the scores of each size bin."""
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
    yield from rows_of(rows)
