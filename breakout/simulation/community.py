"""A community's derivatives of the tracked models, in generations; one base organisation rises."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from breakout.simulation.catalog import Model, Relation
from breakout.simulation.curves import Launch
from breakout.simulation.names import COMMUNITY

FIRST_GENERATION = 240
RISING = "Qiluo-Research"
"""Organisation whose share of the bases grows."""
SHARE_AT_FIRST, SHARE_AT_LAST = 0.05, 0.85
"""The rising organisation's share of the derivatives."""
UNUSED = 0.2
"""Share of derivatives with hardly any downloads."""
NOVELTY_DAYS = 150.0
"""Days in which a base's pull on new derivatives falls to 1/e."""

_KINDS: tuple[tuple[Relation, str, str], ...] = (
    # relation, ending of the name, library
    ("finetune", "Tuned", "transformers"),
    ("quantized", "AWQ", "transformers"),
    ("adapter", "LoRA", "peft"),
    ("finetune", "Chemistry", "transformers"),
    ("quantized", "EXL3", "exllamav3"),
    ("merge", "Blend", "transformers"),
)
_DELETED = f"{COMMUNITY[1].name}/Withdrawn-Blend"


def community(
    tracked: Sequence[Model], end: datetime, days: int, rng: np.random.Generator
) -> Iterator[Model]:
    """Yield derivatives of the tracked models, created evenly over the `days` days before `end`.

    Every fourth finetune has a quantized copy, and some of those a finetune of their own. Two
    merges name each other as their base, and one names a deleted model.
    """
    merges = []
    for i in range(FIRST_GENERATION):
        part = (i + 0.5) / FIRST_GENERATION
        created = (end - timedelta(days=days * (1 - part))).replace(microsecond=0)
        base = _base(tracked, created, part, rng)
        if base is None:
            continue
        relation, ending, library = _KINDS[i % len(_KINDS)]
        model = _derived(base, f"{ending}-{i}", relation, created, library, rng)
        if relation == "merge":
            merges.append(model)
            continue
        yield model
        later = created + timedelta(days=3)
        if relation == "finetune" and i % 4 == 0 and later < end:
            yield _derived(model, "GGUF", "quantized", later, "gguf", rng)
            if i % 8 == 0:
                yield _derived(model, "Again", "finetune", later, "transformers", rng)
    one, other, orphan, *plain = merges
    yield _also(one, other.id)
    yield _also(other, one.id)
    yield _also(orphan, _DELETED)
    yield from plain


def _base(
    tracked: Sequence[Model], created: datetime, part: float, rng: np.random.Generator
) -> Model | None:
    """Return the base of a derivative created then; None while nothing is public."""
    public = [model for model in tracked if model.public_at < created]
    rising = [model for model in public if model.org == RISING]
    others = [model for model in public if model.org != RISING]
    share = SHARE_AT_FIRST + (SHARE_AT_LAST - SHARE_AT_FIRST) * part
    chosen = (rising or others) if rng.random() < share else (others or rising)
    if not chosen:
        return None
    pull = np.array([_pull(model, created) for model in chosen])
    return chosen[int(rng.choice(len(chosen), p=pull / pull.sum()))]


def _pull(model: Model, created: datetime) -> float:
    age = (created - model.public_at) / timedelta(days=1)
    # The square root: otherwise a handful of hits would have all derivatives.
    return float(np.sqrt(model.launch.day_30) * np.exp(-age / NOVELTY_DAYS))


def _derived(
    base: Model,
    ending: str,
    relation: Relation,
    created: datetime,
    library: str,
    rng: np.random.Generator,
) -> Model:
    name = f"{base.id.partition('/')[2]}-{ending}"
    makers = COMMUNITY[:1] if relation == "quantized" else COMMUNITY[1:]
    unused = rng.random() < UNUSED
    return Model(
        f"{makers[int(rng.integers(len(makers)))].name}/{name}",
        created_at=created,
        launch=Launch(
            rng.uniform(0.1, 1) if unused else float(np.exp(rng.normal(7, 1.3))), 0.8, 300
        ),
        library_name=library,
        base_models=(base.id,),
        base_relation=relation,
        tracked_in=None,
    )


def _also(model: Model, base: str) -> Model:
    return replace(model, base_models=(*model.base_models, base))
