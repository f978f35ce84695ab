"""Random histories of all signals but downloads, and the views expected of them."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from breakout.contract.events import (
    DerivativesSlice,
    Event,
    InferenceDay,
    LeaderboardSlice,
    ModelRecord,
    NameRecord,
)

from . import derivatives, inference, leaderboards
from . import names as names_oracle
from .inputs import Row

KEYS = {
    "organisations": ("org",),
    "names": ("source", "name"),
    "inference_tokens": ("source", "day", "slug"),
    "inference_share": ("source", "day"),
    "inference_share_monthly": ("source", "month"),
    "inference_models_monthly": ("source", "month", "model"),
    "unclassified_names": ("source", "name"),
    "scores": ("source", "board", "index_version", "published_on", "name"),
    "best_scores": ("source", "board", "index_version", "published_on", "region"),
    "derivatives": ("source", "model_id"),
    "derivatives_monthly": ("source", "month", "base_org", "relation"),
    "families": ("model_id",),
}

BASES = [f"org{number % 3}/base-{number}" for number in range(6)]
USERS = [f"user/derived-{number:02}" for number in range(25)]
SLUGS = [f"vendor{number % 4}/model-{number}" for number in range(9)]
START = datetime(2026, 1, 20, 2, tzinfo=UTC)


def recompute(events: Iterable[Event]) -> dict[str, dict[Any, Row]]:
    """Return every view by its name."""
    by_type: dict[type[Event], list[Any]] = {}
    for event in events:
        by_type.setdefault(type(event), []).append(event)
    models = by_type.get(ModelRecord, [])
    regions = names_oracle.organisations(models)
    names = names_oracle.names(by_type.get(NameRecord, []), models)
    tokens = inference.inference_tokens(by_type.get(InferenceDay, []), names)
    ratings = leaderboards.ratings(by_type.get(LeaderboardSlice, []), names)
    derived = derivatives.derivatives(by_type.get(DerivativesSlice, []), models)
    return {
        "organisations": regions,
        "names": names,
        "inference_tokens": tokens,
        "inference_share": inference.inference_share(tokens),
        "inference_share_monthly": inference.inference_share_monthly(tokens),
        "inference_models_monthly": inference.inference_models_monthly(tokens),
        "unclassified_names": inference.unclassified_names(names, tokens),
        "scores": ratings,
        "best_scores": leaderboards.best_ratings(ratings),
        "derivatives": derived,
        "derivatives_monthly": derivatives.derivatives_monthly(derived, regions),
        "families": derivatives.families(derived, models, {}),
    }


def make_signals(random: Random) -> list[Event]:
    """Return a history with revisions, reclassified names, re-parented models and cycles."""
    return [
        *_registry(random),
        *_names(random),
        *_inference(random),
        *_boards(random),
        *_surveys(random),
    ]


def _registry(random: Random) -> Iterable[Event]:
    for number, model_id in enumerate([*BASES, *USERS[:2]]):
        for again in range(random.randint(1, 2)):
            yield ModelRecord(
                model_id=model_id,
                observed_at=START + timedelta(days=7 * again),
                org=model_id.partition("/")[0],
                region=random.choice(["us", "china", None]) if number else "us",
                total_params_b=None,
                size_bin=None,
                released_at=None,
                tracked=random.random() < 0.8,
            )


def _names(random: Random) -> Iterable[Event]:
    for source in ("openrouter", "arena"):
        # The last name has no record.
        for name in SLUGS[:-1]:
            for again in range(random.randint(1, 3)):
                # One is never classified, and one certainly open.
                is_open = {SLUGS[0]: None, SLUGS[1]: True}.get(
                    name, random.choice([True, True, False, None])
                )
                yield NameRecord(
                    source=source,
                    name=name,
                    observed_at=START + timedelta(hours=again),
                    title=random.choice([None, "Some title"]),
                    open=is_open,
                    model_id=random.choice([None, *BASES[:3]])
                    if is_open and name != SLUGS[1]
                    else None,
                    org="org0"
                    if name == SLUGS[1]
                    else random.choice([None, "org0", "org1", "org9"]),
                    hint=random.choice([None, "a/hint"]),
                )


def _inference(random: Random) -> Iterable[Event]:
    for number in range(random.randint(3, 40)):
        day = START.date() + timedelta(days=number)
        for counting in range(random.randint(1, 3)):
            slugs = [
                slug + variant for slug in SLUGS for variant in ("", ":free")
                if random.random() < 0.6
            ]  # fmt: skip
            yield InferenceDay(
                source="openrouter",
                day=day,
                # Two readings of a day may have one count.
                as_of=START + timedelta(days=number + counting // (1 + number % 2)),
                observed_at=START + timedelta(days=number + counting, hours=1),
                names=[*slugs, "other"],
                tokens=[random.choice([0, random.randint(1, 2**62)]) for _ in (*slugs, "other")],
            )


def _boards(random: Random) -> Iterable[Event]:
    for week in range(4):
        for version in ("", "2"):
            for again in range(random.randint(1, 2)):
                rated = random.sample(SLUGS, random.randint(1, len(SLUGS)))
                yield LeaderboardSlice(
                    source="arena",
                    board="text",
                    version=version,
                    published_on=date(2026, 1, 5) + timedelta(weeks=week),
                    observed_at=START + timedelta(weeks=week, hours=again),
                    names=rated,
                    rating=[float(random.randint(1000, 1003)) for _ in rated],
                    lower=[random.choice([None, 999.5]) for _ in rated],
                    upper=[random.choice([None, 1004.5]) for _ in rated],
                    votes=[random.choice([None, 2**53 + 1]) for _ in rated],
                )


def _surveys(random: Random) -> Iterable[Event]:
    parents = [*USERS, *BASES, "gone/parent"]
    for survey in range(random.randint(1, 4)):
        observed = random.sample([*USERS, *BASES[3:]], random.randint(5, len(USERS)))
        observed_at = START + timedelta(weeks=survey)
        for number, start in enumerate(range(0, len(observed), 9)):
            models = observed[start : start + 9]
            yield DerivativesSlice(
                source="huggingface",
                scrape_id=f"derivatives-{survey}",
                slice=number,
                observed_at=observed_at,
                models=models,
                parents=[random.sample(parents, random.choice([0, 1, 1, 1, 2])) for _ in models],
                relation=[
                    random.choice([None, "quantized", "finetune", "adapter", "merge"])
                    for _ in models
                ],
                created_at=[
                    random.choice([None, START - timedelta(days=random.randint(0, 500))])
                    for _ in models
                ],
                downloads_all_time=[random.choice([None, 5, 6, 2**53 + 1]) for _ in models],
                downloads_30d=[random.choice([None, 3]) for _ in models],
                bases=BASES[survey % 2 : 2] if number == 0 else [],
            )
