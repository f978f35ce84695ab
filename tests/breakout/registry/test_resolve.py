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
    )


def test_the_manual_size_overrules_safetensors() -> None:
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
        {"tags": "license:mit"},
        {"baseModels": {"models": "a/b"}},
        {"pipeline_tag": 7},
    ],
)
def test_metadata_of_a_wrong_type_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        HubFacts.model_validate({"id": "acorn/Acorn-7B", **row})
