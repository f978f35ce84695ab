"""The oracle on a real season: who crosses 1.0x within 29 days, and which crossings are bursts."""

from datetime import UTC, datetime

import pytest

from breakout.contract.events import ModelRecord
from breakout.core.sizes import Witnesses, agreed_size, size_bin, size_in_name
from breakout.simulation.season import season_catalog, season_series

from . import Observation, Tables, recompute

YOUNG_DAYS = 30
READ_AT = datetime(2025, 2, 18, tzinfo=UTC)


@pytest.fixture(scope="module")
def tables() -> Tables:
    """The 30-day counter, while a repository is younger: then it is the all-time counter."""
    models = {model.id: model for model in season_catalog().models if model.tracked_in}
    records = []
    for model in models.values():
        manual = model.total_params_b if model.manual_size else None
        size = agreed_size(Witnesses(manual=manual, name=size_in_name(model.id)))
        records.append(
            ModelRecord(
                model_id=model.id,
                observed_at=READ_AT,
                org=model.id.partition("/")[0],
                region=None,
                total_params_b=size.total_params_b if size else None,
                size_bin=size_bin(size.total_params_b) if size else None,
                released_at=model.released_on or model.created_at.date(),
                created_at=model.created_at,
                tracked=True,
            )
        )
    observations = [
        Observation("huggingface", "hub-stats", model_id, at, count)
        for model_id, series in season_series().items()
        if model_id in models
        for at, _, count in series
        if count is not None
        and at >= (created := models[model_id].created_at)
        and (at - created).days < YOUNG_DAYS
    ]
    return recompute(observations, records)


def test_ram_of_a_distilled_model(tables: Tables) -> None:
    row = tables.ram["live", "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", 7]
    assert round(row["ram"], 2) == round(row["ram_capped"], 2) == 8.91


def test_crossings_within_29_days(tables: Tables) -> None:
    crossings = {
        model_id: row
        for (baseline, model_id), row in tables.breakouts.items()
        if baseline == "live" and row["age_days"] < YOUNG_DAYS
    }
    at_once = [row for row in crossings.values() if row["confirmed_at"] == row["crossed_at"]]
    never = {name for name, row in crossings.items() if row["status"] == "burst"}
    assert (len(crossings), len(at_once)) == (40, 33)
    assert never == {"allenai/OLMo-2-1124-13B-Instruct", "mistralai/Mathstral-7B-v0.1"}
    later = crossings["Qwen/Qwen2.5-1.5B-Instruct"]
    assert (later["age_days"], round(later["ram_capped"], 2)) == (8, 0.31)
    assert (later["confirmed_at"] - later["crossed_at"]).days == 9
