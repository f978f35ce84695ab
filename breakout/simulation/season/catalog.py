"""The catalog and counters of the real season, from the files in data/."""

import csv
import gzip
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from importlib.resources import files

from breakout.registry.tracked_list import EXTRA_MODELS_FILE, FILES, read_tracked_list
from breakout.simulation.catalog import Catalog, Model, Organisation, TrackedList
from breakout.simulation.counters import Series
from breakout.simulation.curves import Launch

FIRST_DAY = date(2024, 7, 4)
LAST_DAY = date(2025, 2, 18)
"""Days of the first and last counters, each at 00:00 UTC."""
_DATA = files("breakout.simulation.season") / "data"


def season_catalog() -> Catalog:
    """Return the season's models with the facts that the tracked-models list has of them.

    The data have no licence, task or likes, so the Hub leaves them out. Models that the list does
    not track are in the catalog without a task: the list's policy rejects them.
    """
    tracked = read_tracked_list(
        {name: _DATA.joinpath("tracked-models", name).read_bytes() for name in FILES}
    )
    extra = {row["modelId"] for row in _rows(f"tracked-models/{EXTRA_MODELS_FILE}")}
    models = []
    for row in _rows("models.csv"):
        model_id = row["model_id"]
        size = tracked.parameters.get(model_id)
        correction = tracked.corrections.get(model_id)
        file: TrackedList = "extra_models.csv" if model_id in extra else "models.csv"
        listed = model_id in tracked.models
        models.append(
            Model(
                model_id,
                created_at=datetime.fromisoformat(row["created_at"]),
                launch=Launch(day_30=0.0),
                released_on=correction.released_at if correction else None,
                pipeline_tag="text-generation" if listed else None,
                library_name=None,
                license=None,
                total_params_b=size.total_params_b if size else None,
                active_params_b=size.active_params_b if size else None,
                manual_size=size is not None,
                likes_share=None,
                tracked_in=file if listed else None,
            )
        )
    regions = [Organisation(one.org, one.region, one.notes) for one in tracked.regions.values()]
    return Catalog.of(models, organisations=regions)


def season_series() -> dict[str, Series]:
    """Return each model's counters: time (00:00 UTC), null, downloads of the 30 days before.

    The Hub has had an all-time counter only since 27 February 2025.
    """
    series: dict[str, list[tuple[datetime, int | None, int | None]]] = {
        row["model_id"]: [] for row in _rows("models.csv")
    }
    for row in _rows("downloads_30d.csv.gz"):
        midnight = datetime.combine(date.fromisoformat(row["day"]), time(), UTC)
        series[row["model_id"]].append((midnight, None, int(row["downloads_30d"])))
    return dict(series)


def _rows(name: str) -> Iterator[dict[str, str]]:
    data = _DATA.joinpath(*name.split("/")).read_bytes()
    text = gzip.decompress(data) if name.endswith(".gz") else data
    yield from csv.DictReader(io.StringIO(text.decode()))
