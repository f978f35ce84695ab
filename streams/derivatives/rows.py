"""Rows of ClickHouse's tables that the derivatives processor writes, as Arrow tables."""

import pyarrow as pa

from streams.arrow import moments
from streams.derivatives.state import Changes


def lineage(changes: dict[str, Changes]) -> pa.Table:
    """Return rows of `lineage_log`, of changes by source."""
    rows = [
        (source, model_id, one, change.version)
        for source, change in changes.items()
        for model_id, one in change.ancestry.items()
    ]
    return pa.table(
        {
            "source": pa.array([source for source, *_ in rows], pa.string()),
            "model_id": pa.array([model_id for _, model_id, *_ in rows], pa.string()),
            "ancestors": pa.array(
                [list(one.ancestors) for _, _, one, _ in rows], pa.list_(pa.string())
            ),
            "depths": pa.array([list(one.depths) for _, _, one, _ in rows], pa.list_(pa.uint16())),
            "roots": pa.array([list(one.roots) for _, _, one, _ in rows], pa.list_(pa.string())),
            "version": pa.array([version for *_, version in rows], pa.uint64()),
        }
    )


def derivatives(changes: dict[str, Changes]) -> pa.Table:
    """Return rows of `derivatives_log`, of changes by source."""
    rows = [
        (source, model_id, one, change.version)
        for source, change in changes.items()
        for model_id, one in change.observed.items()
    ]

    def counts(name: str) -> list[int | None]:
        return [None if (count := getattr(one, name)) < 0 else count for _, _, one, _ in rows]

    return pa.table(
        {
            "source": pa.array([source for source, *_ in rows], pa.string()),
            "model_id": pa.array([model_id for _, model_id, *_ in rows], pa.string()),
            "observed_at": moments([one.at for _, _, one, _ in rows]),
            "parents": pa.array(
                [list(one.parents) for _, _, one, _ in rows], pa.list_(pa.string())
            ),
            "relation": pa.array([one.relation or None for _, _, one, _ in rows], pa.string()),
            "created_at": moments(counts("created_at")),
            "downloads_all_time": pa.array(counts("downloads_all_time"), pa.uint64()),
            "downloads_30d": pa.array(counts("downloads_30d"), pa.uint64()),
            "version": pa.array([version for *_, version in rows], pa.uint64()),
        }
    )
