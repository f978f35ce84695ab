"""Joins the tracked-models list with the Hub's metadata: one record per model."""

from datetime import UTC, date, datetime
from typing import Literal

from breakout.contract.events import ModelRecord
from breakout.core.sizes import Size, Witnesses, resolve_size, size_in_name
from breakout.registry.fields import Region
from breakout.registry.hub import OLDER, HubFacts
from breakout.registry.overrides import Overrides
from breakout.registry.renames import Renames
from breakout.registry.tracked_list import REGIONS_FILE, TrackedList

_NO_RENAMES = Renames(())

ReleaseSource = Literal["override", "correction", "created_at"]


def resolve(
    model_id: str,
    facts: HubFacts,
    tracked_list: TrackedList,
    overrides: Overrides,
    *,
    observed_at: datetime,
    before: ModelRecord | None = None,
    alias: bool = False,
    renames: Renames | None = None,
) -> ModelRecord:
    """Return the record of a model, with the source of each fact.

    The id in `facts` may differ: it is the current name of a renamed repository. `before` is the
    model's earlier record, whose settled size stands. An `alias` is another name of a model that
    counts under its own, so it is not tracked. `renames` resolve the ids of its base models. Active
    parameters are as stated or None, never inferred; a stated number above the total is dropped.
    """
    org = model_id.partition("/")[0]
    parameters = tracked_list.parameters.get(model_id)
    witnesses = Witnesses(
        parameters.total_params_b if parameters else None,
        facts.parameters_b,
        facts.total_b,
        size_in_name(model_id) or None,
    )
    size = resolve_size(
        witnesses,
        override_b=overrides.total_params_b.get(model_id),
        settled=_settled(before, witnesses) if before else None,
    )
    active = overrides.active_params_b.get(
        model_id, parameters.active_params_b if parameters else None
    )
    if active is not None and size is not None and active > size.total_params_b:
        active = None
    region, region_source = _region(model_id, org, tracked_list, overrides)
    released_at, released_source = _release(model_id, facts, tracked_list, overrides)
    renamed_to = facts.id if facts.id != model_id else None
    return ModelRecord(
        model_id=model_id,
        observed_at=observed_at,
        org=org,
        region=region,
        region_source=region_source,
        total_params_b=size.total_params_b if size else None,
        active_params_b=active,
        size_source=size.source if size else None,
        size_bin=size.size_bin if size else None,
        size_disputed=size is None and witnesses.stated,
        size_manual_b=witnesses.manual,
        size_parameters_b=witnesses.parameters,
        size_total_b=witnesses.total,
        size_name_b=witnesses.name,
        released_at=released_at,
        released_source=released_source,
        created_at=facts.created_at,
        license=facts.license,
        pipeline_tag=facts.pipeline_tag,
        base_models=facts.base_models.counted(renames or _NO_RENAMES) if facts.base_models else [],
        base_relation=facts.base_models.relation if facts.base_models else None,
        repository=facts.repository,
        renamed_to=renamed_to,
        tracked=model_id in tracked_list.models
        and not alias
        and renamed_to not in tracked_list.models,
    )


def _settled(before: ModelRecord, witnesses: Witnesses) -> Size | None:
    """Return the size that was settled before; None if it may be settled anew.

    That is so after a person changed the manual table or withdrew an override, and while only the
    name states a size.
    """
    recorded = (before.size_manual_b, before.size_parameters_b, before.size_total_b)
    if (
        before.total_params_b is None
        or before.size_source not in {"manual", "safetensors"}
        or not any(recorded)
        or before.size_manual_b != witnesses.manual
    ):
        return None
    return Size(before.total_params_b, before.size_source)


def _region(
    model_id: str, org: str, tracked_list: TrackedList, overrides: Overrides
) -> tuple[Region | None, str | None]:
    if override := overrides.region.get(model_id):
        return override, "override"
    if listed := tracked_list.regions.get(org):
        return listed.region, REGIONS_FILE
    return None, None


def _release(
    model_id: str, facts: HubFacts, tracked_list: TrackedList, overrides: Overrides
) -> tuple[date | None, ReleaseSource | None]:
    if override := overrides.released_at.get(model_id):
        return override, "override"
    if correction := tracked_list.corrections.get(model_id):
        return correction.released_at, "correction"
    if facts.created_at and facts.created_at.replace(microsecond=0) != OLDER:
        return facts.created_at.astimezone(UTC).date(), "created_at"
    return None, None
