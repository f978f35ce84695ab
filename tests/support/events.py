"""Models and observations for chosen cases, which random histories hit only by chance."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from breakout.contract import DownloadsSlice, ModelRecord
from breakout.contract.topics import partition_of
from breakout.core.sizes import SizeBin
from tests.support.slices import slice_of

RELEASED = date(2026, 2, 2)
DAY0 = datetime(2026, 2, 2, tzinfo=UTC)


def model(
    model_id: str, *, tracked: bool = True, hour: int = 0, size_bin: SizeBin = "250B+"
) -> ModelRecord:
    """Return a record of a model with points, read some hours after its release."""
    return ModelRecord(
        model_id=model_id,
        observed_at=DAY0 + timedelta(hours=hour),
        org=model_id.partition("/")[0],
        region=None,
        total_params_b=300.0,
        size_bin=size_bin,
        released_at=RELEASED,
        tracked=tracked,
    )


def observed(
    models: Sequence[str], age_days: float, counts: Sequence[int | None], *, origin: str = "live"
) -> DownloadsSlice:
    """Return a slice with the models' counters at an age."""
    at = DAY0 + timedelta(days=age_days)
    return slice_of(models, "huggingface", at, counts, origin=origin)


def of_one_partition(prefix: str, count: int, partitions: int, number: int = 0) -> list[str]:
    """Return ids of models of one partition."""
    found: list[str] = []
    tries = 0
    while len(found) < count:
        name = f"{prefix}/model-{tries}"
        if partition_of(name, partitions) == number:
            found.append(name)
        tries += 1
    return found
