"""Rows of ClickHouse's tables that the RAM processor writes, as Arrow tables."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from breakout.core.ages import DAY_MS
from streams.arrow import counts, moments
from streams.ram.state import Changes


def points(changes: Iterable[Changes]) -> pa.Table:
    """Return rows of `points_log`."""
    # In the order they came: of two rows with one key and version, ClickHouse keeps the last.
    parts = [(one, rows) for one in changes for rows in one.points if len(rows.age)]
    if not parts:
        return pa.table({})
    long = [len(rows.age) for _, rows in parts]
    named = [rows.models[model] for _, rows in parts for model in rows.model.tolist()]
    versions = np.array([one.version for one, _ in parts], dtype=np.uint64)
    return pa.table(
        {
            "size_bin": pa.array(np.repeat([one.size_bin for one, _ in parts], long), pa.string()),
            "age_days": pa.array(np.concatenate([rows.age for _, rows in parts])).cast(pa.uint16()),
            "model_id": pa.array(named, pa.string()),
            "cumulative": counts(np.concatenate([rows.cumulative for _, rows in parts])),
            "as_of": moments(np.concatenate([rows.as_of for _, rows in parts])),
            "version": pa.array(np.repeat(versions, long)),
        }
    )


def latest(changes: Iterable[Changes]) -> pa.Table:
    """Return rows of `latest_log`."""
    rows = [(one, row) for one in changes for row in one.latest.values()]
    released = [None if row.day0 is None else row.day0 // DAY_MS for _, row in rows]
    return pa.table(
        {
            "size_bin": pa.array([one.size_bin for one, _ in rows], pa.string()),
            "model_id": pa.array([row.model_id for _, row in rows], pa.string()),
            "released_at": pa.array(released, pa.int32()).cast(pa.date32()),
            "tracked": pa.array([row.tracked for _, row in rows], pa.bool_()),
            "observed_at": moments([row.observed_at for _, row in rows]),
            "cumulative": pa.array([row.cumulative for _, row in rows], pa.uint64()),
            "registry_changed_at": moments([row.knowledge[0] for _, row in rows]),
            "known": pa.array([row.knowledge[1] for _, row in rows], pa.uint64()),
            "version": pa.array([one.version for one, _ in rows], pa.uint64()),
        }
    )


def baselines(changes: Iterable[Changes]) -> pa.Table:
    """Return rows of `baselines_log`."""
    rows = [(one, row) for one in changes for row in one.baselines]
    return pa.table(
        {
            "baseline": pa.array([row.baseline for _, row in rows], pa.string()),
            "size_bin": pa.array([one.size_bin for one, _ in rows], pa.string()),
            "age_days": pa.array([row.age for _, row in rows], pa.uint16()),
            "peers": pa.array([row.peers for _, row in rows], pa.uint8()),
            "downloads": pa.array([row.downloads for _, row in rows], pa.float64()),
            "as_of": moments([row.as_of for _, row in rows]),
            "version": pa.array([one.version for one, _ in rows], pa.uint64()),
        }
    )


def breakouts(changes: Iterable[Changes]) -> pa.Table:
    """Return rows of `breakouts_log`."""
    rows = [(one, row) for one in changes for row in one.crossings]
    return pa.table(
        {
            "baseline": pa.array([row.baseline for _, row in rows], pa.string()),
            "size_bin": pa.array([one.size_bin for one, _ in rows], pa.string()),
            "model_id": pa.array([row.model_id for _, row in rows], pa.string()),
            "crossed_at": moments([row.crossing.crossed_at for _, row in rows]),
            "age_days": pa.array([row.crossing.age for _, row in rows], pa.uint16()),
            "ram": pa.array([row.crossing.ram for _, row in rows], pa.float64()),
            "ended_at": moments([row.crossing.ended_at for _, row in rows]),
            "retracted": pa.array([row.status == "retracted" for _, row in rows], pa.bool_()),
            "version": pa.array([one.version for one, _ in rows], pa.uint64()),
        }
    )
