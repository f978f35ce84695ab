"""The real season, as the local Hub serves it."""

from datetime import UTC, date, datetime

import httpx

from breakout.simulation import SimulatedClock, SimulatedHub
from breakout.simulation.season import FIRST_DAY, LAST_DAY, season_catalog, season_series

OTHER_SOURCES = (
    "/openrouter/api/v1/models",
    "/arena/rows",
    "/artificial-analysis/api/v2/language/models/free",
    "/modelscope/openapi/v1/models",
)


def test_catalog_has_all_launches_and_the_lists_facts() -> None:
    models = {model.id: model for model in season_catalog().models}
    assert len(models) == 830
    assert sum(model.tracked_in is not None for model in models.values()) == 229
    r1 = models["deepseek-ai/DeepSeek-R1"]
    assert (r1.total_params_b, r1.active_params_b, r1.manual_size) == (671, 37, True)
    assert models["Alibaba-NLP/gte-multilingual-base"].tracked_in is None


def test_series_span_the_season_and_have_no_all_time_counter() -> None:
    series = season_series()
    days = {at.date() for entries in series.values() for at, _, _ in entries}
    assert (min(days), max(days)) == (FIRST_DAY, LAST_DAY) == (date(2024, 7, 4), date(2025, 2, 18))
    assert all(all_time is None for entries in series.values() for _, all_time, _ in entries)


async def test_hub_serves_what_the_data_hold_and_nothing_else() -> None:
    clock = SimulatedClock(datetime(2025, 1, 27, 12, tzinfo=UTC))
    hub = SimulatedHub(season_catalog(), clock=clock, hub_only=True)
    hub.set_counters(season_series())
    path = "/api/models/deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B"
    query = "expand[]=downloads&expand[]=downloadsAllTime&expand[]=likes"
    async with hub, httpx.AsyncClient(base_url=hub.url) as client:
        row = (await client.get(f"{path}?{query}")).json()
        assert set(hub.addresses) == {"HF_ENDPOINT", "TRACKED_MODELS_URL"}
        others = [(await client.get(path)).status_code for path in OTHER_SOURCES]
    assert row["downloads"] == 124172
    assert "downloadsAllTime" not in row
    assert "likes" not in row
    assert others == [404] * len(OTHER_SOURCES)
