"""The catalog and counters of the real season, from the files in data/."""

import csv
import gzip
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from importlib.resources import files
from typing import cast, get_args

from breakout.simulation.catalog import Catalog, Model, Organisation, Region, TrackedList
from breakout.simulation.curves import Launch

FIRST_DAY = date(2024, 7, 2)
LAST_DAY = date(2025, 2, 18)
_DATA = files("breakout.simulation.season") / "data"
_LISTS: tuple[TrackedList, ...] = get_args(TrackedList)

Series = list[tuple[datetime, int | None, int | None]]


def season_catalog() -> Catalog:
    """Return the season's models with the facts that the tracked-models list has of them.

    Licence, task and likes are not in the data and left out. Models that the list does not track
    are in the catalog, without a task: the list's policy rejects them.
    """
    listed: dict[str, TrackedList] = {
        row["modelId"]: name for name in _LISTS for row in _rows(f"tracked-models/{name}")
    }
    sizes = {row["model_id"]: row for row in _rows("tracked-models/model_parameters.csv")}
    released = {
        row["model_id"]: date.fromisoformat(row["actual_release_date"])
        for row in _rows("tracked-models/release_date_corrections.csv")
    }
    models = [
        Model(
            model_id,
            created_at=datetime.fromisoformat(row["created_at"]),
            launch=Launch(day_30=0.0),
            released_on=released.get(model_id),
            pipeline_tag="text-generation" if model_id in listed else None,
            library_name=None,
            license=None,
            total_params_b=_number(sizes, model_id, "total_params_b"),
            active_params_b=_number(sizes, model_id, "active_params_b"),
            manual_size=model_id in sizes,
            likes_share=None,
            tracked_in=listed.get(model_id),
        )
        for row in _rows("models.csv")
        for model_id in [row["model_id"]]
    ]
    regions = [
        Organisation(row["hf_org"], cast("Region", row["region"]), row["notes"] or "")
        for row in _rows("tracked-models/organization_regions.csv")
    ]
    return Catalog.of(models, organisations=regions)


def season_series() -> dict[str, Series]:
    """Return each model's counters: moment (00:00 UTC), null, downloads of the 30 days before.

    The Hub has had an all-time counter only since 27 February 2025.
    """
    series: dict[str, Series] = {row["model_id"]: [] for row in _rows("models.csv")}
    for row in _rows("downloads_30d.csv.gz"):
        moment = datetime.combine(date.fromisoformat(row["day"]), time(), UTC)
        series[row["model_id"]].append((moment, None, int(row["downloads_30d"])))
    return series


def _number(rows: dict[str, dict[str, str]], model_id: str, column: str) -> float | None:
    text = rows.get(model_id, {}).get(column)
    return float(text) if text else None


def _rows(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file; its comments are passed over."""
    data = _DATA.joinpath(*name.split("/")).read_bytes()
    text = gzip.decompress(data) if name.endswith(".gz") else data
    lines = (line for line in io.StringIO(text.decode()) if not line.startswith("#"))
    yield from csv.DictReader(lines)
