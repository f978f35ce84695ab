"""RAM of a real season: states, grid and baselines against figures worked out independently."""

from collections.abc import Mapping
from datetime import date
from statistics import median

import numpy as np
import pytest

from breakout.core import ram
from breakout.core.ages import age_at_end
from breakout.core.breakouts import capped, confirmations, first_crossings
from breakout.core.counters import classify
from breakout.core.grid import Basis, daily
from breakout.core.sizes import Witnesses, agreed_size, size_bin, size_in_name
from breakout.core.times import day_ms
from breakout.simulation.catalog import Model
from breakout.simulation.season import season_catalog, season_series
from tests.oracle.counters import grid as slow_grid

YOUNG_DAYS = 30
AGES = (7, 14, 21, 29)

# RAM at these ages; null without a point, or with fewer than ten peers.
EXPECTED: dict[str, tuple[float | None, ...]] = {
    "deepseek-ai/DeepSeek-R1": (None, None, None, None),
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B": (8.91, 4.61, 3.02, 2.81),
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B": (4.24, 3.61, 4.80, 5.44),
    "deepseek-ai/DeepSeek-R1-Distill-Llama-70B": (5.38, 3.67, 2.17, 3.43),
    "deepseek-ai/DeepSeek-R1-Distill-Llama-8B": (1.45, 1.56, 1.47, 6.77),
    "meta-llama/Llama-3.3-70B-Instruct": (None, 1.23, 1.45, 2.49),
    "meta-llama/Llama-3.2-1B-Instruct": (None, 1.16, 1.15, 1.49),
    "Qwen/Qwen2.5-VL-7B-Instruct": (3.98, 3.26, 3.20, None),
    "Qwen/Qwen2.5-1.5B-Instruct": (0.23, 0.57, 234.00, 146.69),
    "Qwen/Qwen2.5-Coder-32B-Instruct": (0.46, 0.51, 0.83, 1.21),
    "Qwen/QwQ-32B-Preview": (1.99, 1.01, 1.02, 0.79),
    "microsoft/Phi-3.5-mini-instruct": (2.22, 1.49, 0.93, 0.91),
    "allenai/OLMo-2-1124-13B-Instruct": (1.16, None, 0.22, 0.07),
    "mistralai/Mistral-Small-24B-Instruct-2501": (0.72, 3.83, 6.13, None),
}

Observations = Mapping[str, list[tuple[int, int]]]


@pytest.fixture(scope="module")
def models() -> dict[str, Model]:
    return {model.id: model for model in season_catalog().models if model.tracked_in}


@pytest.fixture(scope="module")
def observations(models: dict[str, Model]) -> Observations:
    """The 30-day counter, while a repository is younger: then it is the all-time counter."""
    young = {}
    for model_id, series in season_series().items():
        if model_id in models:
            created = models[model_id].created_at
            young[model_id] = [
                (round(at.timestamp() * 1000), count)
                for at, _, count in series
                if count is not None and 0 <= (at - created).days < YOUNG_DAYS and at >= created
            ]
    return {model_id: known for model_id, known in young.items() if known}


def bin_of(model: Model) -> str | None:
    manual = model.total_params_b if model.manual_size else None
    size = agreed_size(Witnesses(manual=manual, name=size_in_name(model.id)))
    return size_bin(size.total_params_b) if size else None


def released(model: Model) -> date:
    return model.released_on or model.created_at.date()


@pytest.mark.parametrize("model_id", EXPECTED)
def test_ram_by_hand(models: dict[str, Model], observations: Observations, model_id: str) -> None:
    """This model's downloads over the median of the ten greatest of its size bin."""
    peers = [one for one in observations if bin_of(models[one]) == bin_of(models[model_id])]
    grids = {
        one: {row.day: row.cumulative for row in slow_grid(observations[one]) if row.basis != "gap"}
        for one in peers
    }

    def downloads(one: str, age: int) -> int | None:
        day = (released(models[one]) - date(1970, 1, 1)).days + age - 1
        return grids[one].get(day)

    for age, expected in zip(AGES, EXPECTED[model_id], strict=True):
        counts = [count for one in peers if (count := downloads(one, age)) is not None]
        top = sorted(counts, reverse=True)[:10]
        own = downloads(model_id, age)
        found = None if own is None or len(top) < 10 else round(own / median(top), 2)
        assert found == expected


class SizeBin:
    """The points of a model's size bin, and its live baseline."""

    def __init__(self, models: dict[str, Model], observations: Observations, of: str) -> None:
        ids = sorted(one for one in observations if bin_of(models[one]) == bin_of(models[of]))
        series = np.repeat(np.arange(len(ids)), [len(observations[one]) for one in ids])
        at, raw = np.array([pair for one in ids for pair in observations[one]], np.int64).T
        rows, _ = daily(series, at, raw, classify(series, at, raw))
        day0 = np.array([day_ms(released(models[one])) for one in ids])
        age = age_at_end(rows.day, day0[rows.series])
        self.ids = ids
        self.points = np.full((YOUNG_DAYS + 1, len(ids)), -1, np.int64)
        self.downloads = self.points.copy()
        shown = (age >= 0) & (age <= YOUNG_DAYS)
        self.downloads[age[shown], rows.series[shown]] = rows.downloads[shown]
        shown &= rows.basis != Basis.GAP
        self.points[age[shown], rows.series[shown]] = rows.cumulative[shown]
        self.baseline, _ = ram.live(self.points, day0, np.arange(YOUNG_DAYS + 1))


@pytest.mark.parametrize("model_id", EXPECTED)
def test_ram_of_named_models(
    models: dict[str, Model], observations: Observations, model_id: str
) -> None:
    own = SizeBin(models, observations, model_id)
    values = ram.ram(own.points, own.baseline.downloads)
    found = values[list(AGES), own.ids.index(model_id)]
    expected = [np.nan if one is None else one for one in EXPECTED[model_id]]
    assert found.round(2).tolist() == pytest.approx(expected, nan_ok=True)


# Age and RAM of the crossing, capped RAM then, and age of the confirmation; null for a burst.
BREAKOUTS: dict[str, tuple[int, float, float | None, int | None]] = {
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B": (7, 8.91, 8.91, 7),
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B": (7, 1.98, 1.98, 7),
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-14B": (7, 1.35, 1.35, 7),
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B": (7, 4.24, 4.24, 7),
    "deepseek-ai/DeepSeek-R1-Distill-Llama-8B": (7, 1.45, 1.45, 7),
    "deepseek-ai/DeepSeek-R1-Distill-Llama-70B": (7, 5.38, 5.38, 7),
    "Qwen/Qwen2.5-VL-7B-Instruct": (7, 3.98, 3.98, 7),
    "Qwen/Qwen2.5-VL-72B-Instruct": (7, 2.97, 2.97, 7),
    # Observed from day 11 on: at its crossing it has one whole day.
    "meta-llama/Llama-3.3-70B-Instruct": (13, 1.07, None, 14),
    # 89% of it on day 8; a week of millions a day from day 15 on.
    "Qwen/Qwen2.5-1.5B-Instruct": (8, 1.11, 0.31, 17),
    # 27,971 downloads in its first nine hours, then 95 to 666 a day.
    "allenai/OLMo-2-1124-13B-Instruct": (7, 1.16, 0.28, None),
    "mistralai/Mathstral-7B-v0.1": (24, 1.11, 0.08, None),
}


@pytest.mark.parametrize("model_id", BREAKOUTS)
def test_breakouts_of_named_models(
    models: dict[str, Model], observations: Observations, model_id: str
) -> None:
    own = SizeBin(models, observations, model_id)
    downloads = own.baseline.downloads
    found = first_crossings(ram.ram(own.points, downloads), 7, 90)
    index = own.ids.index(model_id)
    at = found.model.tolist().index(index)
    points, days = own.points[:, [index]], own.downloads[:, [index]]
    values = ram.ram(capped(points, days, found.age[[at]]), downloads)
    proof = confirmations(found.age[[at]], values, points, days)
    age, ram_at_age, ram_capped, confirmed_age = BREAKOUTS[model_id]
    assert (int(found.age[at]), round(float(found.ram[at]), 2)) == (age, ram_at_age)
    assert int(proof.age[0]) == (-1 if confirmed_age is None else confirmed_age)
    expected = np.nan if ram_capped is None else ram_capped
    assert round(float(proof.ram_capped[0]), 2) == pytest.approx(expected, nan_ok=True)
