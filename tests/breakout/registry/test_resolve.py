"""The list and the Hub's metadata, joined."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from breakout.contract.events import ModelRecord
from breakout.registry.hub import HubFacts
from breakout.registry.overrides import Overrides
from breakout.registry.resolve import resolve
from tests.breakout.registry.lists import tracked_list

AT = datetime(2026, 8, 22, 11, tzinfo=UTC)


def record(model_id: str, overrides: Overrides | None = None, **row: Any) -> ModelRecord:
    facts = HubFacts.model_validate({"id": model_id, **row})
    return resolve(model_id, facts, tracked_list(), overrides or Overrides(), observed_at=AT)


def test_every_fact_has_its_source() -> None:
    found = record(
        "acorn/Acorn-7B",
        createdAt="2025-08-04T08:22:59.000Z",
        safetensors={"parameters": {"BF16": 7_615_616_512}, "total": 7_615_616_512},
        baseModels={"relation": "finetune", "models": [{"_id": "1", "id": "birch/Birch-2B"}]},
        gated="auto",
        pipeline_tag="text-generation",
        tags=["transformers", "license:apache-2.0", "region:us"],
        likes="unheeded",
    )
    assert found == ModelRecord(
        model_id="acorn/Acorn-7B",
        observed_at=AT,
        org="acorn",
        region="china",
        region_source="organization_regions.csv",
        total_params_b=7.615616512,
        active_params_b=None,
        size_source="safetensors",
        size_bin="7-9B",
        released_at=date(2025, 8, 5),
        released_source="correction",
        created_at=datetime(2025, 8, 4, 8, 22, 59, tzinfo=UTC),
        license="apache-2.0",
        pipeline_tag="text-generation",
        base_models=["birch/Birch-2B"],
        base_relation="finetune",
        tracked=True,
        size_parameters_b=7.615616512,
        size_total_b=7.615616512,
        size_name_b=7.0,
    )


def test_manual_size_is_used_where_the_weights_agree() -> None:
    found = record("acorn/Acorn-R1", safetensors={"total": 685_000_000_000})
    assert (found.total_params_b, found.active_params_b) == (671.0, 37.0)
    assert (found.size_source, found.size_bin) == ("manual", "250B+")


def test_overrides_overrule_everything() -> None:
    overrides = Overrides(
        {"acorn/Acorn-7B": 8.5},
        {"acorn/Acorn-7B": 2.5},
        {"acorn/Acorn-7B": "us"},
        {"acorn/Acorn-7B": date(2025, 9, 1)},
    )
    found = record("acorn/Acorn-7B", overrides, createdAt="2025-08-04T08:22:59.000Z")
    assert (found.total_params_b, found.active_params_b, found.size_source) == (
        8.5,
        2.5,
        "override",
    )
    assert (found.region, found.region_source) == ("us", "override")
    assert (found.released_at, found.released_source) == (date(2025, 9, 1), "override")


def test_active_parameters_above_the_total_are_left_out() -> None:
    overrides = Overrides(total_params_b={"acorn/Acorn-R1": 30.0})
    found = record("acorn/Acorn-R1", overrides)
    assert (found.total_params_b, found.active_params_b) == (30.0, None)


def test_the_date_of_creation_is_the_utc_day() -> None:
    found = record("birch/Birch-2B", createdAt="2025-08-05T01:30:00+03:00")
    assert (found.released_at, found.released_source) == (date(2025, 8, 4), "created_at")


def test_date_that_only_means_older_is_no_release_date() -> None:
    found = record("birch/Birch-2B", createdAt="2022-03-02T23:29:04.000Z")
    assert (found.released_at, found.released_source) == (None, None)
    assert found.created_at is not None
    corrected = record("acorn/Acorn-7B", createdAt="2022-03-02T23:29:04.000Z")
    assert corrected.released_source == "correction"


def test_what_nobody_says_is_null() -> None:
    found = record("oak/Oak")
    assert found.model_dump(exclude={"schema_version", "model_id", "observed_at", "org"}) == {
        "region": None,
        "region_source": None,
        "total_params_b": None,
        "active_params_b": None,
        "size_source": None,
        "size_bin": None,
        "released_at": None,
        "released_source": None,
        "created_at": None,
        "license": None,
        "pipeline_tag": None,
        "base_models": [],
        "base_relation": None,
        "tracked": False,
        "size_disputed": False,
        "size_manual_b": None,
        "size_parameters_b": None,
        "size_total_b": None,
        "size_name_b": None,
        "repository": None,
        "renamed_to": None,
    }


def test_region_is_that_of_the_publisher_not_of_a_tag() -> None:
    assert record("cedar/Cedar-30B-A3B", tags=["region:us"]).region == "unknown"


def test_extra_models_are_tracked() -> None:
    assert record("cedar/Cedar-30B-A3B").tracked is True


def test_a_deleted_base_model_is_passed_over() -> None:
    found = record("oak/Oak", baseModels={"relation": "merge", "models": [{"_id": "1"}, "a/b"]})
    assert found.base_models == ["a/b"]


@pytest.mark.parametrize(
    "row",
    [
        {"createdAt": "yesterday"},
        {"createdAt": "2025-08-04T08:22:59"},
        {"safetensors": {"total": "7B"}},
        {"safetensors": {"total": -1}},
        {"safetensors": {"parameters": {"BF16": "7B"}}},
        {"tags": "license:mit"},
        {"baseModels": {"models": "a/b"}},
        {"pipeline_tag": 7},
    ],
)
def test_metadata_of_a_wrong_type_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        HubFacts.model_validate({"id": "acorn/Acorn-7B", **row})


def weights(total: int, parameters: int | None = None) -> dict[str, Any]:
    return {"safetensors": {"parameters": {"BF16": parameters or total}, "total": total}}


def resolved(
    model_id: str,
    row: dict[str, Any],
    before: ModelRecord | None = None,
    overrides: Overrides | None = None,
    **changed: str,
) -> ModelRecord:
    return resolve(
        model_id,
        HubFacts.model_validate({"id": model_id, **row}),
        tracked_list(**changed),
        overrides or Overrides(),
        observed_at=AT,
        before=before,
    )


def test_total_that_contradicts_its_parameters_is_not_the_size() -> None:
    found = record("acorn/Acorn-7B", **weights(333_312, 7_615_616_512))
    assert (found.total_params_b, found.size_bin) == (7.615616512, "7-9B")
    assert not found.size_disputed


def test_disputed_size_is_in_no_bin_and_keeps_its_witnesses() -> None:
    found = record("acorn/Acorn-314B", **weights(89_000_000_000))
    assert found.size_disputed
    assert (found.total_params_b, found.size_source, found.size_bin) == (None, None, None)
    assert (found.size_parameters_b, found.size_total_b, found.size_name_b) == (89, 89, 314)
    override = Overrides(total_params_b={"acorn/Acorn-314B": 314.0})
    reviewed = record("acorn/Acorn-314B", override, **weights(89_000_000_000))
    assert (reviewed.size_bin, reviewed.size_disputed) == ("250B+", False)


@pytest.mark.parametrize("name", ["acorn/Acorn-170B", "acorn/Acorn"])
def test_settled_size_stands_when_the_weights_change(name: str) -> None:
    before = resolved(name, weights(170_000_000_000))
    for total in (1_060_000_000_000, 89_000_000_000, 0):
        later = resolved(name, weights(total), before)
        assert (later.total_params_b, later.size_bin) == (170.0, "100-250B")
        assert (later.size_source, later.size_disputed) == ("safetensors", False)
        assert later.size_total_b == (total / 1e9 or None)
        before = later


def test_settled_size_changes_with_the_manual_table_and_overrides() -> None:
    before = resolved("birch/Birch-2B", weights(2_200_000_000))
    assert (before.total_params_b, before.size_source) == (2.1, "manual")
    header = "model_id,total_params_b,active_params_b,is_moe,notes\n"
    row = weights(2_200_000_000)
    later = resolved("birch/Birch-2B", row, before, parameters=f"{header}birch/Birch-2B,2.4,,,\n")
    assert (later.total_params_b, later.size_source) == (2.4, "manual")
    override = Overrides(total_params_b={"birch/Birch-2B": 9.0})
    overridden = resolved("birch/Birch-2B", row, before, override)
    assert (overridden.total_params_b, overridden.size_bin) == (9.0, "7-9B")
    withdrawn = resolved("birch/Birch-2B", row, overridden)
    assert (withdrawn.total_params_b, withdrawn.size_source) == (2.1, "manual")


def test_size_by_name_alone_is_not_settled() -> None:
    before = resolved("oak/Oak-17B-16E", {})
    assert (before.total_params_b, before.size_bin) == (17.0, "10-50B")
    later = resolved("oak/Oak-17B-16E", weights(109_000_000_000), before)
    assert (later.size_bin, later.size_disputed) == (None, True)


def test_remembered_facts_give_the_same_record() -> None:
    found = record(
        "acorn/Acorn-7B",
        createdAt="2025-08-04T08:22:59.000Z",
        baseModels={"relation": "finetune", "models": [{"_id": "1", "id": "birch/Birch-2B"}]},
        pipeline_tag="text-generation",
        tags=["license:apache-2.0"],
        _id="621ffdc036468d709f17434d",
        **weights(7_615_616_512, 7_615_616_513),
    )
    again = resolve(
        found.model_id,
        HubFacts.remembered(found),
        tracked_list(),
        Overrides(),
        observed_at=AT,
        before=found,
    )
    assert again == found
    assert found.repository == "621ffdc036468d709f17434d"


def test_alias_is_not_tracked_and_says_its_current_name() -> None:
    facts = HubFacts.model_validate({"id": "acorn/Acorn-R1"})
    found = resolve("acorn/Acorn-7B", facts, tracked_list(), Overrides(), observed_at=AT)
    assert (found.renamed_to, found.tracked) == ("acorn/Acorn-R1", False)
    facts = HubFacts.model_validate({"id": "acorn/Untracked-7B"})
    found = resolve("acorn/Acorn-7B", facts, tracked_list(), Overrides(), observed_at=AT)
    assert (found.renamed_to, found.tracked) == ("acorn/Untracked-7B", True)
