"""The demo's catalog shows what it was designed to show."""

import re
from collections import Counter as Tally
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from breakout.core import breakouts as crossings
from breakout.core import ram
from breakout.core.ages import MILESTONES
from breakout.core.lineage import Lineage
from breakout.core.times import DAY_MS
from breakout.simulation import (
    Catalog,
    Correction,
    Model,
    SimulatedClock,
    SimulatedHub,
    Stall,
    invented_catalog,
)
from breakout.simulation.clock import milliseconds
from breakout.simulation.community import RISING
from breakout.simulation.counters import Counters
from breakout.simulation.invented import DAYS

END = datetime(2026, 11, 23, tzinfo=UTC)
START = END - timedelta(days=DAYS)
AGES = np.arange(366)

# docs/definitions.md: edges of the size bins in decimal billions.
EDGES = {
    "<1B": (0, 1),
    "1-5B": (1, 5),
    "7-9B": (5, 10),
    "10-50B": (10, 50),
    "50-100B": (50, 100),
    "100-250B": (100, 250),
    "250B+": (250, 10**6),
}


@dataclass(frozen=True)
class BinRam:
    """RAM of one size bin's tracked models, as a daily scrape at midnight would find it."""

    models: list[Model]
    baseline: ram.Baseline
    ram: NDArray[np.float64]
    crossed: dict[str, int]


def day_zero(model: Model) -> datetime:
    return datetime.combine(model.released_on or model.created_at.date(), time(), UTC)


def size_b(model: Model) -> float | None:
    """Return the size that the list's rules resolve, in decimal billions."""
    if model.manual_size:
        return model.total_params_b
    if model.safetensors_total is not None:
        return model.safetensors_total / 1e9
    found = re.search(r"[-_](\d+\.?\d*)B[-_]|[-_](\d+\.?\d*)B$", model.id, re.IGNORECASE)
    return float(found[1] or found[2]) if found else None


def ram_of_bin(catalog: Catalog, counters: Counters, low: float, high: float) -> BinRam:
    rows = [
        row
        for row, model in enumerate(catalog.models)
        if model.tracked_in and low <= (size_b(model) or -1) < high
    ]
    day0 = np.array([milliseconds(day_zero(catalog.models[row])) for row in rows])
    points = np.full((len(AGES), len(rows)), -1, np.int64)
    moments = np.zeros(len(catalog.models), np.int64)
    for age in AGES:
        moments[rows] = day0 + age * DAY_MS
        seen = (moments[rows] >= milliseconds(START)) & (moments[rows] <= milliseconds(END))
        points[age, seen] = counters.true_cumulative(moments)[rows][seen]
    baseline, _ = ram.live(points, day0, AGES)
    matrix = ram.ram(points, baseline.downloads)
    first = crossings.first_crossings(matrix, 7, 90)
    models = [catalog.models[row] for row in rows]
    crossed = {
        models[column].id: int(age) for column, age in zip(first.model, first.age, strict=True)
    }
    return BinRam(models, baseline, matrix, crossed)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return invented_catalog(END)


@pytest.fixture(scope="module")
def counters(catalog: Catalog) -> Counters:
    return Counters(catalog)


@pytest.fixture(scope="module")
def bins(catalog: Catalog, counters: Counters) -> dict[str, BinRam]:
    return {label: ram_of_bin(catalog, counters, *edges) for label, edges in EDGES.items()}


def with_role(catalog: Catalog, *roles: str) -> list[Model]:
    return [model for model in catalog.models if catalog.roles[model.id] in roles]


def crossed_at(bins: dict[str, BinRam]) -> dict[str, int]:
    return {model: age for each in bins.values() for model, age in each.crossed.items()}


def test_about_300_models_are_tracked(catalog: Catalog) -> None:
    tracked = [model for model in catalog.models if model.tracked_in]
    assert 280 <= len(tracked) <= 320
    assert len(tracked) < len(catalog.models)
    assert {model.tracked_in for model in tracked} == {"models.csv", "extra_models.csv"}


def test_there_are_about_14_organisations_of_all_regions(catalog: Catalog) -> None:
    regions = Tally(each.region for each in catalog.organisations if each.region)
    assert sum(regions.values()) == 14
    assert set(regions) == {"us", "china", "eu", "other", "unknown"}
    orgs = {model.org for model in catalog.models if model.tracked_in}
    assert orgs == {each.name for each in catalog.organisations if each.region}


def test_every_bin_has_a_baseline_at_every_milestone(bins: dict[str, BinRam]) -> None:
    for each in bins.values():
        assert len(each.models) >= 12
        assert (each.baseline.peers[list(MILESTONES)] == 10).all()


def test_the_median_of_large_models_is_about_a_quarter(bins: dict[str, BinRam]) -> None:
    small, large = (
        np.mean([bins[label].baseline.downloads[30] for label in labels])
        for labels in (("1-5B", "7-9B"), ("100-250B", "250B+"))
    )
    assert 3 < small / large < 5


def test_designed_breakouts_pass_the_median(catalog: Catalog, bins: dict[str, BinRam]) -> None:
    crossed = crossed_at(bins)
    for model in with_role(catalog, "breakout", "slow_burner", "jump"):
        assert 7 <= crossed[model.id] <= 60, model.id
    for each in bins.values():
        designed = [i for i, m in enumerate(each.models) if catalog.roles[m.id] == "breakout"]
        seen = each.ram[60, designed]
        assert (seen[~np.isnan(seen)] > 1.3).all()


def test_breakouts_of_the_last_weeks_are_there(catalog: Catalog, bins: dict[str, BinRam]) -> None:
    crossed = crossed_at(bins)
    recent = [
        model
        for model in with_role(catalog, "breakout", "slow_burner", "jump")
        if END - day_zero(model) - timedelta(days=crossed[model.id]) < timedelta(days=60)
    ]
    assert len(recent) >= 5
    assert len({size_b(model) for model in recent}) >= 5


def test_the_slow_burner_passes_at_about_day_45(catalog: Catalog, bins: dict[str, BinRam]) -> None:
    (model,) = with_role(catalog, "slow_burner")
    assert 40 <= crossed_at(bins)[model.id] <= 50


def test_flops_stay_far_below(catalog: Catalog, bins: dict[str, BinRam]) -> None:
    count = 0
    for each in bins.values():
        flops = [i for i, m in enumerate(each.models) if catalog.roles[m.id] == "flop"]
        count += len(flops)
        assert np.nanmax(each.ram[7:91][:, flops]) < 0.15
    assert count >= 20


def test_average_models_do_not_break_out(catalog: Catalog, bins: dict[str, BinRam]) -> None:
    crossed = crossed_at(bins)
    assert not [m.id for m in with_role(catalog, "average") if m.id in crossed]


def test_one_model_grows_nineteenfold_in_a_day(catalog: Catalog, counters: Counters) -> None:
    (jump,) = with_role(catalog, "jump")
    row = catalog.models.index(jump)
    midnights = [day_zero(jump) + timedelta(days=day) for day in range(1, 27)]
    totals = np.array(
        [counters.at(milliseconds(moment)).downloads_all_time[row] for moment in midnights]
    )
    growth = totals[1:] / np.maximum(totals[:-1], 1)
    assert growth[5:].max() > 15
    assert totals[5:-1][growth[5:].argmax()] > 1000
    assert sorted(growth[5:])[-2] < 2


def test_no_counter_falls_but_the_corrected_one(catalog: Catalog, counters: Counters) -> None:
    (correction,) = [each for each in catalog.incidents if isinstance(each, Correction)]
    row = [model.id for model in catalog.models].index(correction.model_id)
    days = [START + timedelta(days=day) for day in range(DAYS + 1)]
    totals = np.array([counters.at(milliseconds(day)).downloads_all_time for day in days])
    fallen = np.argwhere(np.diff(totals, axis=0) < 0)
    assert {int(column) for _, column in fallen} == {row}
    ((day, _),) = fallen
    lost = 1 - totals[day + 1, row] / totals[day, row]
    assert 0.05 < lost < 0.11
    assert totals[-1, row] > totals[day, row]


def test_the_hub_stalls_fully_and_partly(catalog: Catalog, counters: Counters) -> None:
    full, partial = [each for each in catalog.incidents if isinstance(each, Stall)]
    for stall, least, most in ((full, 1.0, 1.0), (partial, 0.75, 0.97)):
        before, after, caught_up = (
            np.array(counters.at(milliseconds(stall.start + n * timedelta(days=1))).downloads_30d)
            for n in range(3)
        )
        alive = before > 1000
        standing = float(np.mean(before[alive] == after[alive]))
        assert least <= standing <= most
        assert np.mean(after[alive] == caught_up[alive]) < 0.2


def test_some_release_dates_are_corrected_both_ways(catalog: Catalog) -> None:
    corrected = [model for model in catalog.models if model.released_on is not None]
    shifts = [(m.released_on - m.created_at.date()).days for m in corrected if m.released_on]
    assert len(shifts) >= 8
    assert min(shifts) < 0
    assert max(shifts) > 25


def test_facts_vary(catalog: Catalog) -> None:
    tracked = [model for model in catalog.models if model.tracked_in]
    assert {model.gated for model in tracked} == {False, "auto", "manual"}
    assert {model.pipeline_tag for model in tracked} == {"text-generation", "image-text-to-text"}
    assert None in {model.license for model in tracked}
    missing = [model for model in tracked if model.safetensors_total is None]
    assert 0.05 < len(missing) / len(tracked) < 0.3
    assert any(size_b(model) is None for model in tracked)
    assert sum(size_b(model) is None for model in tracked) < 10
    relations = {model.base_relation for model in catalog.models}
    assert relations == {None, "adapter", "merge", "quantized", "finetune"}


def test_derivatives_have_derivatives_of_their_own(catalog: Catalog) -> None:
    derivatives = with_role(catalog, "derivative")
    tracked = {model.id for model in catalog.models if model.tracked_in}
    lineage = Lineage()
    for model in derivatives:
        assert model.tracked_in is None
        lineage.set_parents(model.id, model.base_models)
    ancestry = {model.id: lineage.ancestry(model.id) for model in derivatives}
    assert all(tracked.intersection(one.ancestors) for one in ancestry.values())
    assert 300 <= len(derivatives) <= 500
    generations = Tally(max(one.depths) for one in ancestry.values())
    assert generations[2] >= 20
    known = {model.id for model in catalog.models}
    (deleted,) = {base for one in ancestry.values() for base in one.ancestors} - known
    assert sum(deleted in one.roots for one in ancestry.values()) == 1
    circle = [m for m in derivatives if lineage.descendants([m.id]).intersection(m.base_models)]
    assert len(circle) == 2


def test_one_organisation_gains_derivatives(catalog: Catalog, counters: Counters) -> None:
    served = counters.at(milliseconds(END)).downloads_all_time
    downloads = {model.id: served[i] or 0 for i, model in enumerate(catalog.models)}
    derivatives = with_role(catalog, "derivative")
    used = [model for model in derivatives if downloads[model.id] > 5]
    assert 0.05 < 1 - len(used) / len(derivatives) < 0.4
    shares = []
    for part in range(4):
        first = START + part * (END - START) / 4
        made = [m for m in used if first <= m.created_at < first + (END - START) / 4]
        assert len(made) >= 40
        shares.append(np.mean([m.base_models[0].startswith(RISING + "/") for m in made]))
    assert shares[0] < 0.25
    assert shares[-1] > 0.45


def test_some_models_leave(catalog: Catalog) -> None:
    tracked = [model for model in catalog.models if model.tracked_in]
    assert sum(model.renamed_to is not None for model in tracked) == 1
    assert sum(model.deleted_at is not None for model in tracked) == 1
    assert sum(model.private_from is not None for model in tracked) == 1


def test_the_list_lacks_models_that_its_rules_admit(catalog: Catalog) -> None:
    candidates = with_role(catalog, "candidate")
    assert len(candidates) >= 10
    assert {model.tracked_in for model in candidates} == {None}


def test_the_same_seed_is_the_same_catalog() -> None:
    assert invented_catalog(END, seed=5) == invented_catalog(END, seed=5)
    assert invented_catalog(END, seed=5) != invented_catalog(END, seed=6)


async def test_the_same_seed_is_the_same_bytes(catalog: Catalog) -> None:
    async def served() -> list[bytes]:
        async with (
            SimulatedHub(invented_catalog(END), clock=SimulatedClock(END)) as hub,
            httpx.AsyncClient(base_url=hub.url) as http,
        ):
            org = catalog.models[0].org
            paths = (
                f"/api/models?author={org}&expand[]=downloadsAllTime&expand[]=safetensors",
                "/api/models?full=true&sort=downloads",
                "/lists/models.csv",
                "/lists/metadata/release_date_corrections.csv",
            )
            return [(await http.get(path)).content for path in paths]

    assert await served() == await served()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_another_seed_has_its_breakouts_too(seed: int) -> None:
    catalog = invented_catalog(END, seed=seed)
    counters = Counters(catalog)
    crossed = crossed_at(
        {label: ram_of_bin(catalog, counters, *edges) for label, edges in EDGES.items()}
    )
    designed = with_role(catalog, "breakout", "slow_burner", "jump")
    missed = [model.id for model in designed if model.id not in crossed]
    assert missed == []


@pytest.mark.parametrize(
    ("end", "days", "says"),
    [(END, 100, "180"), (datetime(2026, 11, 23), 730, "time zone")],  # noqa: DTZ001
)
def test_a_span_too_short_is_refused(end: datetime, days: int, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        invented_catalog(end, days=days)
