"""Rows of ClickHouse's tables that the RAM processor writes, as Arrow tables."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from breakout.core.times import DAY_MS
from streams.arrow import COUNT, DATE, TEXT, TIMESTAMP, table_of, timestamps, unsigned
from streams.ram.changes import Changes

_LATEST = {
    "size_bin": TEXT,
    "model_id": TEXT,
    "released_at": DATE,
    "tracked": pa.bool_(),
    "observed_at": TIMESTAMP,
    "cumulative": COUNT,
    "registry_changed_at": TIMESTAMP,
    "known": COUNT,
    "capped": COUNT,
    "version": COUNT,
}
_BASELINES = {
    "size_bin": TEXT,
    "baseline": TEXT,
    "age_days": pa.uint16(),
    "peers": pa.uint8(),
    "downloads": pa.float64(),
    "as_of": TIMESTAMP,
    "version": COUNT,
}
_BREAKOUTS = {
    "size_bin": TEXT,
    "baseline": TEXT,
    "model_id": TEXT,
    "age_days": pa.uint16(),
    "ram": pa.float64(),
    "crossed_at": TIMESTAMP,
    "ended_at": TIMESTAMP,
    "confirmed_at": TIMESTAMP,
    "ram_capped": pa.float64(),
    "top_day_share": pa.float64(),
    "retracted": pa.bool_(),
    "version": COUNT,
}


def points(changes: Iterable[Changes]) -> pa.Table:
    """Return rows of `points_log`."""
    parts = [(one, rows) for one in changes for rows in one.points if len(rows.age)]
    if not parts:
        return pa.table({})
    lengths = [len(rows.age) for _, rows in parts]
    models = [rows.models[model] for _, rows in parts for model in rows.model.tolist()]
    versions = np.array([one.version for one, _ in parts], dtype=np.uint64)
    return pa.table(
        {
            "size_bin": pa.array(np.repeat([one.size_bin for one, _ in parts], lengths), TEXT),
            "age_days": pa.array(np.concatenate([rows.age for _, rows in parts])).cast(pa.uint16()),
            "model_id": pa.array(models, TEXT),
            "cumulative": unsigned(np.concatenate([rows.cumulative for _, rows in parts])),
            "downloads": unsigned(np.concatenate([rows.downloads for _, rows in parts])),
            "capped": unsigned(np.concatenate([rows.capped for _, rows in parts])),
            "as_of": timestamps(np.concatenate([rows.as_of for _, rows in parts])),
            "version": pa.array(np.repeat(versions, lengths)),
        }
    )


def latest(changes: Iterable[Changes]) -> pa.Table:
    """Return rows of `latest_log`."""
    rows = []
    for one in changes:
        for model_id, day0, *values in one.latest.values():
            released_at = None if day0 is None else day0 // DAY_MS
            rows.append((one.size_bin, model_id, released_at, *values, one.version))
    return table_of(_LATEST, rows)


def baselines(changes: Iterable[Changes]) -> pa.Table:
    """Return rows of `baselines_log`."""
    return table_of(
        _BASELINES,
        (
            (one.size_bin, *vars(row).values(), one.version)
            for one in changes
            for row in one.baselines
        ),
    )


def breakouts(changes: Iterable[Changes]) -> pa.Table:
    """Return rows of `breakouts_log`."""
    rows = []
    for one in changes:
        for row in one.breakouts:
            key = (one.size_bin, row.baseline, row.model_id)
            values = vars(row.breakout).values()
            rows.append((*key, *values, row.status == "retracted", one.version))
    return table_of(_BREAKOUTS, rows)
