"""Real counters of the Hub, 7 to 22 August 2026, day by day through collector and worker.

They are 30-day downloads, served here as the all-time counter: most are unchanged on the 8th and
13th, one jumps, and some fall.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from breakout.core.times import DAY_MS, day_ms, to_ms
from breakout.simulation import Catalog, SimulatedClock, SimulatedHub
from collectors.sources.huggingface import HuggingFaceJob
from tests.oracle import counters
from tests.support.brokers import KAFKA_FIRST
from tests.support.pipeline import Pipeline, running_pipeline

FIRST = datetime(2026, 8, 7, 6, tzinfo=UTC)
DAYS = 16

# fmt: off
COUNTERS: dict[str, list[int]] = {
    "openai/gpt-oss-20b": [
        8229095, 8229095, 8072757, 7952023, 7909482, 7892919, 7892919, 8104829,
        8143341, 8117114, 7966494, 7852041, 7801956, 7682588, 7590370, 7493699,
    ],
    "openai/gpt-oss-120b": [
        4138863, 4138863, 4133677, 4083431, 4014507, 3980592, 3980592, 4215190,
        4322626, 4444318, 4479205, 4533768, 4602238, 4657776, 4680489, 4739629,
    ],
    "moonshotai/Kimi-K3": [
        1308186, 1308186, 1388105, 1456459, 1510032, 1565484, 1565484, 1871575,
        1974635, 2100680, 2136775, 2163953, 2226898, 2289863, 2349853, 2448810,
    ],
    "Qwen/Qwen3.8-27B": [
        2, 91917, 267725, 415039, 665513, 1006235, 1373584, 1726651,
    ],
    "MiniMaxAI/MiniMax-H3": [
        18112, 18112, 26693, 35295, 47468, 59368, 83484, 1605940,
        1997541, 2212155, 2307541, 2403238, 2855539, 3055205, 3308673, 3614443,
    ],
    "deepseek-ai/DeepSeek-V4-Flash-0731": [
        702709, 702709, 785771, 868576, 954441, 1048685, 1048685, 1431587,
        1606491, 1798247, 1872232, 1978298, 2123462, 2330940, 2547549, 2833064,
    ],
    "deepseek-ai/DeepSeek-R1": [
        9405763, 9405763, 9186854, 8848933, 8690797, 8523653, 8523653, 8316405,
        8044961, 7735520, 7455596, 7276213, 7212052, 6911569, 6388560, 5894003,
    ],
    "meta-models/Muse-Glimmer-30B": [
        0, 0, 121042, 165300, 246454, 292973, 334099, 384097, 430313, 478622, 505113,
    ],
}
# fmt: on

KIMI, H3, R1 = "moonshotai/Kimi-K3", "MiniMaxAI/MiniMax-H3", "deepseek-ai/DeepSeek-R1"


def times(model_id: str) -> list[datetime]:
    """Return the observation times of a model; the last is the last day."""
    values = COUNTERS[model_id]
    return [FIRST + timedelta(days=DAYS - len(values) + index) for index in range(len(values))]


@pytest.fixture(params=KAFKA_FIRST)
def pipeline(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pipeline]:
    with running_pipeline(tmp_path, request.param) as running:
        running.start_worker()
        yield running


@pytest.fixture
async def observed(pipeline: Pipeline) -> Pipeline:
    """Return a pipeline that has processed a scrape of each day."""
    catalog = Catalog.of(list(COUNTERS), created_at=datetime(2026, 1, 1, tzinfo=UTC))
    async with SimulatedHub(catalog, clock=SimulatedClock(FIRST)) as hub:
        hub.set_counters(
            {
                model_id: [
                    (at, count, count) for at, count in zip(times(model_id), values, strict=True)
                ]
                for model_id, values in COUNTERS.items()
            }
        )
        settings = pipeline.settings.model_copy(
            update={"hf_endpoint": hub.url, "tracked_models_url": hub.tracked_models_url}
        )
        job = HuggingFaceJob(settings, give_up_after=30)
        for day in range(DAYS):
            hub.clock.set(FIRST + timedelta(days=day))
            await job.run(FIRST + timedelta(days=day))
    await asyncio.to_thread(pipeline.wait_caught_up)
    return pipeline


async def test_states_and_days_of_real_counters(observed: Pipeline) -> None:
    rows = await asyncio.to_thread(
        observed.rows,
        "SELECT * FROM downloads WHERE downloads_all_time IS NOT NULL ORDER BY observed_at",
    )
    by_model: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_model.setdefault(row["model_id"], []).append(row)
    assert {
        model_id: [row["downloads_all_time"] for row in group]
        for model_id, group in by_model.items()
    } == COUNTERS
    assert [row["observed_at"] for row in by_model[KIMI]] == times(KIMI)

    days = await asyncio.to_thread(
        observed.rows, "SELECT * FROM downloads_daily ORDER BY model_id, day"
    )
    for model_id, group in by_model.items():
        at = map(to_ms, times(model_id))
        history = list(zip(at, COUNTERS[model_id], strict=True))
        assert [row["state"] for row in group] == counters.states(history), model_id
        found = [
            counters.Row(
                day_ms(row["day"]) // DAY_MS,
                row["cumulative"],
                row["downloads"],
                row["correction"],
                row["basis"],
            )
            for row in days
            if row["model_id"] == model_id
        ]
        assert found == counters.grid(history), model_id

    held = {(row["model_id"], row["observed_at"].day) for row in rows if row["state"] == "held"}
    # On the 8th, most have their first observations: nothing was to be expected yet.
    assert {day for _, day in held} == {13}
    assert (KIMI, 13) in held
    assert (H3, 13) not in held
    # A counter that falls day by day is corrected day by day: nobody downloaded.
    falling = [row for row in days if row["model_id"] == R1]
    assert sum(row["downloads"] or 0 for row in falling) == 0
    fallen = [before - after for before, after in pairwise(COUNTERS[R1]) if after < before]
    assert [row["correction"] for row in by_model[R1] if row["correction"]] == fallen
