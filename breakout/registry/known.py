"""What the registry's own latest records say: the memory between readings of its sources."""

from collections.abc import Mapping, Set

from breakout.contract.events import ModelRecord
from breakout.registry.table import RegistryFileError
from breakout.registry.tracked_list import (
    CORRECTIONS_FILE,
    MODELS_FILE,
    PARAMETERS_FILE,
    REGIONS_FILE,
    Correction,
    ListedModel,
    OrganizationRegion,
    Parameters,
    TrackedList,
)

FEW = 10
"""So many may always be withdrawn at once, however small the list."""

Known = Mapping[str, ModelRecord]
"""The latest record of each model, by id."""


def known_list(known: Known) -> TrackedList:
    """Return the tracked-models list as the registry's records show it."""
    tracked = [record for record in known.values() if record.tracked]
    return TrackedList(
        models={one.model_id: ListedModel(one.model_id, one.org) for one in tracked},
        regions={
            one.org: OrganizationRegion(one.org, one.region, "")
            for one in tracked
            if one.region is not None and one.region_source == REGIONS_FILE
        },
        parameters={
            one.model_id: Parameters(one.model_id, one.size_manual_b, one.active_params_b, None, "")
            for one in tracked
            if one.size_manual_b is not None
        },
        corrections={
            one.model_id: Correction(one.model_id, one.created_at.date(), one.released_at, "")
            for one in tracked
            if one.released_source == "correction" and one.created_at and one.released_at
        },
        errors=(),
    )


def check_withdrawals(tracked_list: TrackedList, known: Known, limit: float) -> None:
    """Raise `RegistryFileError` if the list withdraws more than a share of what is known.

    A list that was cut off would otherwise withdraw most of the registry.
    """
    before = known_list(known)
    still = tracked_list.models.keys()
    orgs = set(tracked_list.organisations)
    _check(MODELS_FILE, "tracked models", before.models.keys(), still, limit)
    _check(
        REGIONS_FILE, "regions", before.regions.keys() & orgs, tracked_list.regions.keys(), limit
    )
    _check(
        PARAMETERS_FILE,
        "sizes",
        before.parameters.keys() & still,
        tracked_list.parameters.keys(),
        limit,
    )
    _check(
        CORRECTIONS_FILE,
        "release dates",
        before.corrections.keys() & still,
        tracked_list.corrections.keys(),
        limit,
    )


def _check(file: str, kind: str, before: Set[str], now: Set[str], limit: float) -> None:
    withdrawn = before - now
    if len(withdrawn) > max(FEW, limit * len(before)):
        raise RegistryFileError(
            f"{file}: lacks {len(withdrawn):,} of the {len(before):,} {kind} known so far, more "
            f"than a share of {limit:g}, so nothing is withdrawn: if that is meant, raise "
            "BREAKOUT_WITHDRAW_LIMIT, at most 1, for one run"
        )
