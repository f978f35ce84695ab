"""Untracked repositories: those that the list's rules reject, and candidates for it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np

from breakout.simulation.catalog import Model, Relation
from breakout.simulation.curves import Launch
from breakout.simulation.names import COMMUNITY, FAMILIES, ORGANISATIONS, Namer

UNSIZED = 6
CANDIDATES = 16
DERIVATIVES = 130

_REJECTED: tuple[tuple[str, str | None, str], ...] = (
    # name, pipeline tag, library
    ("{}-2-7B-Instruct-GGUF", "text-generation", "gguf"),
    ("{}-2-14B-Instruct-AWQ", "text-generation", "transformers"),
    ("{}-Guard-2B", "text-generation", "transformers"),
    ("{}-Embedding-0.6B", "feature-extraction", "sentence-transformers"),
    ("{}-Reranker-0.6B", "text-ranking", "transformers"),
    ("{}-Reward-8B", "text-classification", "transformers"),
    ("{}-Tokenizer", None, "transformers"),
)

_DERIVED: tuple[tuple[Relation, str, str], ...] = (
    ("quantized", "{}-GGUF", "gguf"),
    ("quantized", "{}-MLX-4bit", "mlx"),
    ("finetune", "{}-Cooking-Finetune", "transformers"),
    ("finetune", "{}-Law-SFT", "transformers"),
    ("adapter", "{}-Pirate-LoRA", "peft"),
    ("merge", "{}-Merged", "transformers"),
)


def unsized(end: datetime, days: int, namer: Namer, rng: np.random.Generator) -> Iterator[Model]:
    """Yield tracked models whose size is unknown."""
    for i in range(UNSIZED):
        org = ORGANISATIONS[i % len(ORGANISATIONS)].name
        yield Model(
            namer.unsized(org, 1.0),
            created_at=_before(end, rng.uniform(30, days)),
            launch=Launch(rng.uniform(20_000, 200_000), 0.9, 400),
        )


def candidates(end: datetime, namer: Namer, rng: np.random.Generator) -> Iterator[Model]:
    """Yield models that meet the list's rules and are not on it yet."""
    for i in range(CANDIDATES):
        org = ORGANISATIONS[(3 * i) % len(ORGANISATIONS)].name
        size = (4, 8, 14, 33)[i % 4]
        yield Model(
            namer.model_id(org, 4.0, f"{size}B"),
            created_at=_before(end, 1 + 7 * i + rng.uniform(0, 5)),
            launch=Launch(rng.uniform(110_000, 400_000), 1.0, 500),
            safetensors_total=size * 10**9,
            tracked_in=None,
        )


def noise(end: datetime, days: int, rng: np.random.Generator) -> Iterator[Model]:
    """Yield repositories of the same organisations that the list's rules reject."""
    for org, family in FAMILIES.items():
        for name, pipeline_tag, library in _REJECTED:
            yield Model(
                f"{org}/{name.format(family)}",
                created_at=_before(end, rng.uniform(5, days)),
                launch=Launch(float(np.exp(rng.normal(11, 1.2))), 0.95, 500),
                pipeline_tag=pipeline_tag,
                library_name=library,
                tracked_in=None,
            )


def derivatives(
    tracked: Sequence[Model], end: datetime, rng: np.random.Generator
) -> Iterator[Model]:
    """Yield the community's derivatives of the tracked models, mostly of popular ones."""
    popularity = np.array([model.launch.day_30 for model in tracked])
    taken: set[str] = set()
    for i in range(DERIVATIVES):
        base = tracked[int(rng.choice(len(tracked), p=popularity / popularity.sum()))]
        relation, name, library = _DERIVED[i % len(_DERIVED)]
        uploader = COMMUNITY[0 if relation == "quantized" else 1].name
        model_id = f"{uploader}/{name.format(base.id.partition('/')[2])}"
        created = base.public_at + timedelta(days=rng.exponential(20))
        if model_id in taken or created >= end:
            continue
        taken.add(model_id)
        # Every fourth has hardly any downloads.
        day_30 = rng.uniform(0.5, 4) if i % 4 == 0 else np.exp(rng.normal(7, 1.5))
        yield Model(
            model_id,
            created_at=created.replace(microsecond=0),
            launch=Launch(float(day_30), 0.8, 300),
            library_name=library,
            base_models=(base.id,),
            base_relation=relation,
            tracked_in=None,
        )


def _before(end: datetime, days: float) -> datetime:
    return (end - timedelta(days=float(days))).replace(microsecond=0)
