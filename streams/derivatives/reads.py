"""Loads the state of the derivatives processor from ClickHouse."""

from streams.arrow import iter_rows
from streams.clickhouse import WorkerClickHouse
from streams.derivatives.state import Observed, SourceState


def load(clickhouse: WorkerClickHouse, source: str) -> SourceState:
    """Return the state of a source: the latest observation of each derivative."""
    state = SourceState()
    rows = clickhouse.query(
        """
        SELECT
            model_id, toUnixTimestamp64Milli(observed_at) AS at,
            toInt64(ifNull(downloads_all_time, -1)) AS downloads_all_time,
            toInt64(ifNull(downloads_30d, -1)) AS downloads_30d,
            ifNull(toUnixTimestamp64Milli(created_at), -1) AS created,
            ifNull(toString(relation), '') AS related, parents, version
        FROM derivatives_log FINAL
        WHERE source = %(source)s
        """,
        {"source": source},
    )
    for model_id, at, all_time, days_30, created_at, relation, parents, version in iter_rows(rows):
        observed = Observed(at, all_time, days_30, created_at, relation, tuple(parents))
        state.restore(model_id, observed, version)
    return state
