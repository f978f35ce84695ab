"""The checked-in JSON Schemas are those of the contract, and say what it says."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from breakout.contract import (
    BreakoutEvent,
    ContractError,
    DailySlice,
    DeadLetter,
    DerivativesSlice,
    DownloadsSlice,
    Event,
    InferenceDay,
    LeaderboardSlice,
    MissingModel,
    ModelRecord,
    NameRecord,
    RunRecord,
    read_event,
    schemas,
)
from breakout.contract.schemas import EVENTS, published_schema, schema_text

MOMENT = datetime(2026, 8, 22, 11, tzinfo=UTC)
EXAMPLES: list[Event] = [
    DownloadsSlice(
        source="huggingface",
        scrape_id="huggingface/2026-08-22T11:00:00Z",
        observed_at=MOMENT,
        models=["acme/Anvil-7B", "acme/Rocket-70B"],
        downloads_all_time=[2**53 + 1, None],
        downloads_30d=[12, 0],
        likes=[None, 3],
        missing=[MissingModel(model_id="acme/Gone", reason="404")],
    ),
    ModelRecord(
        model_id="acme/Anvil-7B",
        observed_at=MOMENT,
        org="acme",
        region=None,
        total_params_b=7.24,
        size_bin="7-9B",
        released_at=date(2026, 8, 1),
        created_at=MOMENT,
        tracked=True,
    ),
    DailySlice(
        size_bin="<1B",
        models=["acme/Anvil"],
        registry_changed_at=[MOMENT],
        known=[3],
        tracked=[True],
        released_at=[None],
        reread=[False],
        knot_at=[MOMENT],
        knot_cumulative=[2**53 + 1],
        row_model=[0, 0],
        row_day=[0, 65_535],
        row_cumulative=[None, 2**53 + 1],
        row_downloads=[None, 0],
        row_gap=[False, True],
    ),
    BreakoutEvent(
        baseline="live",
        model_id="acme/Anvil-7B",
        status="crossed",
        crossed_at=MOMENT,
        age_days=9,
        ram=1.04,
        confirmed_at=MOMENT,
        ram_capped=1.01,
        top_day_share=0.25,
    ),
    NameRecord(
        source="openrouter",
        name="acme/anvil",
        observed_at=MOMENT,
        open=True,
        model_id="acme/Anvil-7B",
        org="acme",
    ),
    InferenceDay(
        source="openrouter",
        day=date(2026, 8, 21),
        as_of=MOMENT,
        observed_at=MOMENT,
        names=["acme/anvil:free", "other"],
        tokens=[2**53 + 1, 0],
    ),
    DerivativesSlice(
        source="huggingface",
        scrape_id="derivatives-20260822T110000.000Z",
        observed_at=MOMENT,
        models=["user/Anvil-GGUF"],
        parents=[["acme/Anvil-7B"]],
        relation=["quantized"],
        created_at=[MOMENT],
        downloads_all_time=[2**53 + 1],
        downloads_30d=[None],
    ),
    LeaderboardSlice(
        source="arena",
        board="text",
        published_on=date(2026, 8, 21),
        observed_at=MOMENT,
        names=["anvil"],
        rating=[1499.3],
        lower=[None],
        upper=[1503.5],
        votes=[34186],
    ),
    RunRecord(
        source="arena",
        observed_at=MOMENT,
        complete_at=None,
        finished_at=MOMENT,
        instance="host:1",
    ),
    DeadLetter(
        topic="breakout.downloads",
        partition=0,
        offset=17,
        component="downloads",
        error="not JSON",
        failed_at=MOMENT,
        value_base64="AAE=",
    ),
]
# Event, field, and a value that neither the contract nor its schema takes.
WRONG: list[tuple[type[Event], str, object]] = [
    (DownloadsSlice, "downloads_all_time", [-1, 2]),
    (DownloadsSlice, "downloads_all_time", [1.5, 2]),
    (DownloadsSlice, "downloads_all_time", ["1", 2]),
    (DownloadsSlice, "downloads_all_time", [2**63, 2]),
    (DownloadsSlice, "models", ["acme/Anvil-7B", "with space"]),
    (DownloadsSlice, "source", ""),
    (DownloadsSlice, "schema_version", 2),
    (ModelRecord, "size_bin", "huge"),
    (ModelRecord, "region", "mars"),
    (ModelRecord, "total_params_b", 0),
    (DailySlice, "row_day", [0, 65_536]),
    (BreakoutEvent, "status", "perhaps"),
    (NameRecord, "open", "sometimes"),
    (InferenceDay, "tokens", ["1", 0]),
    (InferenceDay, "names", []),
    (DerivativesSlice, "parents", [["no id"]]),
    (LeaderboardSlice, "rating", ["high"]),
    (RunRecord, "instance", ""),
    (DeadLetter, "component", ""),
]


def record_of(kind: type[Event]) -> dict[str, Any]:
    (example,) = (event for event in EXAMPLES if type(event) is kind)
    record: dict[str, Any] = json.loads(example.to_bytes())
    return record


def validator_of(event: type[Event]) -> Any:
    return jsonschema.Draft202012Validator(json.loads(published_schema(event)))


@pytest.mark.parametrize("event", EVENTS)
def test_the_file_is_the_contract_s(event: type[Event]) -> None:
    assert published_schema(event) == schema_text(event), "run `make schemas`"


def test_no_file_is_left_of_an_event_that_is_gone() -> None:
    here = {file.stem for file in Path(schemas.__file__).parent.glob("*.json")}
    assert here == {event.__name__ for event in EVENTS}


@pytest.mark.parametrize("event", EVENTS)
def test_a_schema_is_a_schema(event: type[Event]) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(published_schema(event)))


@pytest.mark.parametrize("event", EVENTS)
def test_what_is_published_follows_the_schema(event: type[Event]) -> None:
    validator_of(event).validate(record_of(event))
    assert read_event(event, json.dumps(record_of(event)).encode()) in EXAMPLES


@pytest.mark.parametrize("event", EVENTS)
def test_a_field_the_schema_does_not_know_is_no_error(event: type[Event]) -> None:
    record = record_of(event) | {"added_in_a_later_release": 1}
    validator_of(event).validate(record)
    assert read_event(event, json.dumps(record).encode()) in EXAMPLES


@pytest.mark.parametrize("event", EVENTS)
def test_contract_and_schema_require_the_same_fields(event: type[Event]) -> None:
    for field in record_of(event):
        record = record_of(event)
        del record[field]
        try:
            read_event(event, json.dumps(record).encode())
        except ContractError:
            accepted = False
        else:
            accepted = True
        assert validator_of(event).is_valid(record) == accepted, field


@pytest.mark.parametrize(("event", "field", "value"), WRONG)
def test_contract_and_schema_refuse_the_same_values(
    event: type[Event], field: str, value: object
) -> None:
    record = record_of(event) | {field: value}
    assert not validator_of(event).is_valid(record)
    with pytest.raises(ContractError):
        read_event(event, json.dumps(record).encode())
