"""Rows of ClickHouse's tables that the derivatives processor writes, as Arrow tables."""

from collections.abc import Iterable

import pyarrow as pa

from breakout.contract import DerivativesSlice
from streams.arrow import COUNT, TEXT, TEXTS, TIMESTAMP, table_of
from streams.derivatives.state import Changes

_LINEAGE = {
    "source": TEXT,
    "model_id": TEXT,
    "ancestors": TEXTS,
    "depths": pa.list_(pa.uint16()),
    "roots": TEXTS,
    "version": COUNT,
}
_DERIVATIVES = {
    "source": TEXT,
    "model_id": TEXT,
    "observed_at": TIMESTAMP,
    "downloads_all_time": COUNT,
    "downloads_30d": COUNT,
    "created_at": TIMESTAMP,
    "relation": TEXT,
    "parents": TEXTS,
    "version": COUNT,
}
_LISTINGS = {"source": TEXT, "base": TEXT, "observed_at": TIMESTAMP}


def listings(slices: Iterable[DerivativesSlice]) -> pa.Table:
    """Return rows of `derivative_listings`."""
    return table_of(
        _LISTINGS, ((one.source, base, one.observed_at) for one in slices for base in one.bases)
    )


def lineage(changes: dict[str, Changes]) -> pa.Table:
    """Return rows of `lineage_log`, from the changes of each source."""
    return table_of(
        _LINEAGE,
        (
            (source, model_id, one.ancestors, one.depths, one.roots, change.version)
            for source, change in changes.items()
            for model_id, one in change.ancestry.items()
        ),
    )


def derivatives(changes: dict[str, Changes]) -> pa.Table:
    """Return rows of `derivatives_log`, from the changes of each source."""
    return table_of(
        _DERIVATIVES,
        (
            (source, model_id, *map(_nullable, observed), change.version)
            for source, change in changes.items()
            for model_id, observed in change.observed.items()
        ),
    )


def _nullable(value: object) -> object:
    return None if value in (-1, "") else value
