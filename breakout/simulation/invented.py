"""The demo's catalog: two years of invented launches, with breakouts in the last weeks."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np

from breakout.simulation.catalog import Catalog, Gated, Model
from breakout.simulation.community import community
from breakout.simulation.incidents import Correction, Incident, Stall
from breakout.simulation.names import COMMUNITY, ORGANISATIONS, Namer, Size
from breakout.simulation.plan import BINS, Slot, slots
from breakout.simulation.surroundings import candidates, derivatives, noise, unsized

DAYS = 730
MIN_DAYS = 180
SEED = 20

FULL_STALL_AGO = 101
PARTIAL_STALL_AGO = 40
CORRECTION_AGO = 120
STALL_LASTS = timedelta(days=2)

HIDDEN_SIZES = 0.1
WITH_SAFETENSORS = 0.85
LICENSED = 0.95
"""Shares of the tracked models."""

EXTRA_BELOW = 40_000
"""Models with fewer planned downloads after 30 days are on the list's second file."""

# Days from the creation of the repository to the announcement, by role and place among the role's
# models: private uploads before the launch, and repositories opened after it.
CORRECTIONS = {
    "breakout": (11, 2, 1),
    "contender": (26, 5, 8),
    "average": (33, 3, -5, -1),
    "flop": (4,),
}

LICENSES = ("apache-2.0", "apache-2.0", "mit", "other", "cc-by-nc-4.0")


def invented_catalog(end: datetime, *, days: int = DAYS, seed: int = SEED) -> Catalog:
    """Return the demo's catalog: launches in the `days` days before `end` and some earlier ones.

    The same arguments give the same catalog. Raises `ValueError` for a span too short for
    baselines, or an `end` without a time zone.
    """
    if days < MIN_DAYS:
        raise ValueError(f"days must be at least {MIN_DAYS}, got {days}")
    if end.tzinfo is None:
        raise ValueError("end needs a time zone, such as +00:00")
    rng = np.random.default_rng(seed)
    namer = Namer(rng)
    planned = [slot for bin_ in BINS for slot in slots(bin_, days, rng)]
    tracked = [
        _tracked(i, slot, end=end, days=days, namer=namer, rng=rng)
        for i, slot in enumerate(planned)
    ]
    by_role: dict[str, list[Model]] = {}
    for model, slot in zip(tracked, planned, strict=True):
        by_role.setdefault(slot.role, []).append(model)
    changed = _corrected(by_role) | _departed(by_role["average"], end)
    tracked = [changed.get(model.id, model) for model in tracked]
    by_role |= {
        "unsized": list(unsized(end, days, namer, rng)),
        "candidate": list(candidates(end, namer, rng)),
        "noise": list(noise(end, days, rng)),
        "derivative": [
            *derivatives(tracked, end, rng),
            *community(tracked, end, days, rng),
        ],
    }
    others = ("unsized", "candidate", "noise", "derivative")
    models = (*tracked, *(model for role in others for model in by_role[role]))
    roles = {model.id: role for role, group in by_role.items() for model in group}
    incidents = _incidents(by_role["contender"], end)
    return Catalog(models, (*ORGANISATIONS, *COMMUNITY), incidents, seed, roles)


def _tracked(
    i: int, slot: Slot, *, end: datetime, days: int, namer: Namer, rng: np.random.Generator
) -> Model:
    size = slot.bin.sizes[int(rng.integers(len(slot.bin.sizes)))]
    # Spread the roles over all organisations, so over all regions.
    org = ORGANISATIONS[(i * 5 + int(rng.integers(3))) % len(ORGANISATIONS)].name
    generation = 1 + 0.5 * max(int(6 * (1 - slot.age / days)), 0)
    hidden = rng.random() < HIDDEN_SIZES
    name = namer.unsized(org, generation) if hidden else namer.model_id(org, generation, size.label)
    # A size in millions is not parsed from a name.
    named = not hidden and size.label.endswith("B")
    has_weights = rng.random() < WITH_SAFETENSORS
    public = _time(end, slot.age, rng)
    gated: Gated = (False, False, False, False, False, False, "auto", "manual")[rng.integers(8)]
    return Model(
        name,
        created_at=public,
        launch=slot.launch,
        pipeline_tag="image-text-to-text" if "-VL" in name else "text-generation",
        license=str(rng.choice(LICENSES)) if rng.random() < LICENSED else None,
        safetensors_total=_safetensors(size) if has_weights else None,
        dtype="F8_E4M3" if name.endswith("FP8") else "BF16",
        total_params_b=size.total_b,
        active_params_b=size.active_b,
        manual_size=(not has_weights and not named) or size.active_b is not None,
        gated=gated,
        tags=("conversational",),
        likes_share=float(np.exp(rng.normal(np.log(0.001), 0.7))),
        tracked_in="extra_models.csv" if slot.launch.day_30 < EXTRA_BELOW else "models.csv",
        tracked_since=_time(public, -rng.uniform(2, 5), rng),
    )


def _safetensors(size: Size) -> int:
    # Files contain a little more than the counted parameters: heads for multi-token prediction.
    surplus = 1.02 if size.active_b is not None else 1.0007
    return int(size.total_b * surplus * 1e9) // 1024 * 1024


def _time(end: datetime, days_before: float, rng: np.random.Generator) -> datetime:
    day = (end - timedelta(days=float(days_before))).replace(hour=0, minute=0, second=0)
    return day.replace(microsecond=0) + timedelta(seconds=int(rng.integers(6 * 3600, 16 * 3600)))


def _corrected(by_role: dict[str, list[Model]]) -> dict[str, Model]:
    """Return the models whose repository was not created on their release date."""
    changed = {}
    for role, shifts in CORRECTIONS.items():
        for model, shift in zip(by_role[role], shifts, strict=False):
            public = model.created_at
            released: date = public.date()
            if shift < 0:
                released += timedelta(days=shift)
            created = public - timedelta(days=max(shift, 0))
            changed[model.id] = replace(model, created_at=created, released_on=released)
    return changed


def _departed(average: list[Model], end: datetime) -> dict[str, Model]:
    """Return three models: one renamed, one deleted, one made private."""
    renamed, deleted, hidden = average[20], average[40], average[60]
    return {
        renamed.id: replace(
            renamed,
            renamed_to=renamed.id + "-Preview",
            renamed_at=max(end - timedelta(days=70), renamed.created_at + timedelta(days=5)),
        ),
        deleted.id: replace(
            deleted,
            deleted_at=max(end - timedelta(days=50), deleted.created_at + timedelta(days=5)),
        ),
        hidden.id: replace(
            hidden,
            private_from=max(end - timedelta(days=30), hidden.created_at + timedelta(days=5)),
        ),
    }


def _incidents(contenders: list[Model], end: datetime) -> tuple[Incident, ...]:
    def ago(days: int) -> datetime:
        return end - timedelta(days=days)

    # A contender of two weeks to four months of age: it soon passes its old total.
    corrected_at = ago(CORRECTION_AGO)
    corrected = min(
        (model for model in contenders if model.public_at < corrected_at - timedelta(days=14)),
        key=lambda model: corrected_at - model.public_at,
    )
    return (
        Stall(ago(FULL_STALL_AGO), ago(FULL_STALL_AGO) + STALL_LASTS),
        Stall(ago(PARTIAL_STALL_AGO), ago(PARTIAL_STALL_AGO) + STALL_LASTS, share=0.78),
        Correction(corrected.id, corrected_at),
    )
