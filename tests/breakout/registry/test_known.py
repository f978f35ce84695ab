"""The registry's records as its memory: the list they show, and what a list may withdraw."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from breakout.contract.events import ModelRecord
from breakout.registry.known import FEW, check_withdrawals, known_list
from breakout.registry.table import RegistryFileError
from breakout.registry.tracked_list import TrackedList
from tests.breakout.registry.lists import tracked_list

LIMIT = 0.25
PARAMETERS = "model_id,total_params_b,active_params_b,is_moe,notes\n"
CORRECTIONS = "model_id,hf_created_at,actual_release_date,notes\n"


def record(number: int, **facts: Any) -> ModelRecord:
    return ModelRecord.model_validate(
        {
            "model_id": f"org{number % 50}/model-{number}",
            "observed_at": datetime(2026, 8, 22, tzinfo=UTC),
            "org": f"org{number % 50}",
            "region": "us",
            "region_source": "organization_regions.csv",
            "total_params_b": 7.5,
            "size_bin": "7-9B",
            "size_manual_b": 7.5,
            "released_at": date(2025, 8, 5),
            "released_source": "correction",
            "created_at": datetime(2025, 8, 4, tzinfo=UTC),
            "tracked": True,
        }
        | facts
    )


KNOWN = {one.model_id: one for one in map(record, range(100))}


def listed(models: int, *, regions: int = 50, facts: int = 100) -> TrackedList:
    """Return a list of the first models, with the facts of the first ones."""
    ids = list(KNOWN)[:models]
    rows = [f"{one.replace('/', ',')},{one}\n" for one in ids]
    return tracked_list(
        models="org,model,modelId\n" + "".join(rows),
        extra="org,model,modelId\n",
        regions="hf_org,region,notes\n" + "".join(f"org{n},us,\n" for n in range(regions)),
        parameters=PARAMETERS + "".join(f"{one},7.5,,,\n" for one in ids[:facts]),
        corrections=CORRECTIONS + "".join(f"{one},2025-08-04,2025-08-05,\n" for one in ids[:facts]),
    )


def test_records_show_the_list_they_were_made_from() -> None:
    found, whole = known_list(KNOWN), listed(100)
    assert found == whole
    untracked = {one.model_id: one for one in (record(1, tracked=False), record(2))}
    assert list(known_list(untracked).models) == ["org2/model-2"]


def test_list_may_withdraw_up_to_the_limit() -> None:
    check_withdrawals(listed(75), KNOWN, LIMIT)
    with pytest.raises(
        RegistryFileError,
        match=r"models\.csv: lacks 26 of the 100 tracked models known so far.*"
        "BREAKOUT_WITHDRAW_LIMIT",
    ):
        check_withdrawals(listed(74), KNOWN, LIMIT)
    check_withdrawals(listed(1), KNOWN, 1.0)


@pytest.mark.parametrize(
    ("short", "file"),
    [
        ({"regions": 5}, "organization_regions.csv"),
        ({"facts": 20}, "model_parameters.csv"),
    ],
)
def test_reviewed_facts_are_withdrawn_up_to_the_limit(short: dict[str, int], file: str) -> None:
    with pytest.raises(RegistryFileError, match=f"^{file}: lacks"):
        check_withdrawals(listed(100, **short), KNOWN, LIMIT)


def test_a_few_may_always_be_withdrawn() -> None:
    few = dict(list(KNOWN.items())[: FEW + 1])
    check_withdrawals(listed(1), few, LIMIT)
    check_withdrawals(listed(1), {}, LIMIT)
