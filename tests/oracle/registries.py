"""Invented registries: a full size bin, incomplete models, and repeated records."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import TypeVar

from breakout.contract.events import ModelRecord
from breakout.core.sizes import SIZE_BINS, SizeBin

FIRST_DAY = date(2026, 1, 5)
T = TypeVar("T")
BINS: tuple[SizeBin, ...] = SIZE_BINS


def make_registry(random: Random, models: int) -> list[ModelRecord]:
    """Return the records of up to `models` models, the newest of each last.

    The first 8 to 14 models share a size bin. Some registries have models without size bin or
    release date or untracked ones, and records published again with other facts.
    """
    spread = random.choice([1, 4, 12, 120])
    one_odd_in = random.choice([1000, 30, 8])
    one_again_in = random.choice([1000, 6, 2])
    crowd = random.randint(8, 14)
    bins = random.sample(BINS, k=2 if models < 40 else len(BINS))
    read_at = datetime(2026, 1, 1, 6, tzinfo=UTC)

    records: list[ModelRecord] = []
    for number in range(models):
        size_bin = bins[0] if number < crowd else random.choice(bins)
        released_at = FIRST_DAY + timedelta(days=random.randint(0, spread))
        record = ModelRecord(
            model_id=f"org{number % 5}/model-{number:03}",
            observed_at=read_at,
            org=f"org{number % 5}",
            region=random.choice([None, "us", "china"]),
            total_params_b=1.5,
            size_bin=_or_none(random, one_odd_in, size_bin),
            released_at=_or_none(random, one_odd_in, released_at),
            created_at=_created_at(random, released_at),
            tracked=random.randint(1, one_odd_in) < one_odd_in,
        )
        records.append(record)
        again = random.randint(1, one_again_in) == one_again_in
        for _ in range(random.randint(1, 3) if again else 0):
            read_at += timedelta(hours=random.choice([1, 1, 1, 30]))
            record = ModelRecord.model_validate(
                record.model_dump() | {"observed_at": read_at} | _change(random, bins, released_at)
            )
            records.append(record)
    return records


def _created_at(random: Random, released_at: date) -> datetime | None:
    """Return a creation in one of the age bands, mostly just before the release."""
    just_before = datetime.combine(released_at, time(9), tzinfo=UTC) - timedelta(days=1)
    return random.choice(
        [
            just_before,
            just_before,
            datetime(2024, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
            datetime(2023, 1, 1, tzinfo=UTC),
            datetime(2022, 3, 2, 23, 29, 4, tzinfo=UTC),
            None,
        ]
    )


def _or_none(random: Random, one_in: int, value: T) -> T | None:
    return None if random.randint(1, one_in) == one_in else value


def _change(random: Random, bins: list[SizeBin], released_at: date) -> dict[str, object]:
    return random.choice(
        [
            {},
            {"released_at": released_at + timedelta(days=random.randint(-5, 5))},
            {"released_at": None},
            {"size_bin": random.choice(bins)},
            {"size_bin": None},
            {"tracked": False},
            {"tracked": True, "size_bin": bins[0], "released_at": released_at},
        ]
    )
