"""The registry: the list over HTTP, joined with the simulated Hub."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from aiohttp import web

from breakout.contract.events import ModelRecord
from breakout.registry.overrides import Overrides
from breakout.registry.table import RegistryFileError
from breakout.registry.tracked_list import FILES
from breakout.settings import Settings
from breakout.simulation import Catalog, Model, Organisation, SimulatedClock
from breakout.simulation.serving import Serving
from collectors.http.errors import SourceError
from collectors.publishing.rejected_rows import RejectedRows
from collectors.sources.registry import resolve_models
from collectors.sources.tracked_models import fetch_tracked_list
from tests.breakout.registry.lists import contents
from tests.collectors.hub_crawls import crawl_tracked
from tests.collectors.quick import QUICK
from tests.support.faulty_hub.faults import ErrorStatus, Html, Truncated, WrongValues
from tests.support.faulty_hub.hub import FaultyHub

NOW = datetime(2026, 8, 22, 11, tzinfo=UTC)
MODELS = [
    Model(
        "acorn/Acorn-R1",
        created_at=datetime(2025, 8, 4, 8, tzinfo=UTC),
        released_on=date(2025, 8, 5),
        safetensors_total=685_000_000_000,
        total_params_b=671.0,
        active_params_b=37.0,
        manual_size=True,
        license="mit",
    ),
    Model(
        "acorn/Acorn-R1-Distill-7B",
        created_at=datetime(2025, 9, 1, 23, tzinfo=UTC),
        base_models=("birch/Birch-7B",),
        base_relation="finetune",
        tracked_in="extra_models.csv",
    ),
    Model("acorn/Acorn-New-30B", tracked_in=None),
    Model("acorn/Acorn-Guard-7B", tracked_in=None),
    Model("birch/Birch-7B", deleted_at=NOW - timedelta(days=1)),
    Model("birch/Birch-8B", safetensors_total=8_030_261_248),
]


@pytest.fixture
async def hub() -> AsyncIterator[FaultyHub]:
    catalog = Catalog.of(MODELS, organisations=[Organisation("acorn", "china")])
    async with FaultyHub(catalog, clock=SimulatedClock(NOW)) as running:
        yield running


class Registry(NamedTuple):
    records: list[ModelRecord]
    missing: Mapping[str, str]
    rejected: RejectedRows


async def registry(hub: FaultyHub, overrides: Overrides | None = None) -> Registry:
    found, tracked_list = await crawl_tracked(hub, "registry")
    collected = resolve_models(found, tracked_list, overrides or Overrides(), observed_at=NOW)
    records = [record for record in collected.records if isinstance(record, ModelRecord)]
    return Registry(records, collected.missing, collected.rejected)


async def test_one_record_a_model_with_the_source_of_each_fact(hub: FaultyHub) -> None:
    found = await registry(hub)
    records = {record.model_id: record for record in found.records}
    assert sorted(records) == [
        "acorn/Acorn-New-30B",
        "acorn/Acorn-R1",
        "acorn/Acorn-R1-Distill-7B",
        "birch/Birch-8B",
    ]
    assert records["acorn/Acorn-R1"] == ModelRecord(
        model_id="acorn/Acorn-R1",
        observed_at=NOW,
        org="acorn",
        region="china",
        region_source="organization_regions.csv",
        total_params_b=671.0,
        active_params_b=37.0,
        size_source="manual",
        size_bin="250B+",
        released_at=date(2025, 8, 5),
        released_source="correction",
        created_at=datetime(2025, 8, 4, 8, tzinfo=UTC),
        license="mit",
        pipeline_tag="text-generation",
        tracked=True,
        size_manual_b=671.0,
        size_parameters_b=685.0,
        size_total_b=685.0,
        repository=records["acorn/Acorn-R1"].repository,
    )
    distilled = records["acorn/Acorn-R1-Distill-7B"]
    assert (distilled.base_models, distilled.base_relation) == (["birch/Birch-7B"], "finetune")
    assert (distilled.released_at, distilled.released_source) == (date(2025, 9, 1), "created_at")
    assert (distilled.size_source, distilled.size_bin) == ("name", "7-9B")
    assert distilled.tracked
    assert not records["acorn/Acorn-New-30B"].tracked
    birch = records["birch/Birch-8B"]
    assert (birch.region, birch.region_source) == (None, None)
    assert (birch.size_source, birch.total_params_b) == ("safetensors", 8.030261248)


async def test_model_without_metadata_has_no_record(hub: FaultyHub) -> None:
    found = await registry(hub)
    assert found.missing == {"birch/Birch-7B": "deleted: the Hub has no such model"}


async def test_overrides_are_applied(hub: FaultyHub) -> None:
    found = await registry(hub, Overrides(released_at={"acorn/Acorn-R1": date(2025, 8, 6)}))
    record = next(record for record in found.records if record.model_id == "acorn/Acorn-R1")
    assert (record.released_at, record.released_source) == (date(2025, 8, 6), "override")


async def test_invalid_metadata_is_dead_letter(hub: FaultyHub) -> None:
    hub.faults.add(WrongValues(values={"tags": 7}, models=["acorn/Acorn-R1"]))
    found = await registry(hub)
    assert "acorn/Acorn-R1" in found.missing
    [letter] = found.rejected.letters
    assert letter.error.startswith("acorn/Acorn-R1: tags: Input should be a valid list, got 7")
    assert letter.component == "collector:registry"


@pytest.mark.parametrize("file", FILES)
async def test_incomplete_tracked_list_is_not_used(hub: FaultyHub, file: str) -> None:
    hub.faults.add(ErrorStatus(match=f"/{file}", status=500))
    with pytest.raises(SourceError, match=rf"{file}: HTTP 500"):
        await registry(hub)
    hub.faults.clear()
    hub.faults.add(Html(match=f"/{file}"))
    with pytest.raises(RegistryFileError, match=rf"{file}: the header.*check TRACKED_MODELS_URL"):
        await registry(hub)


async def test_truncated_tracked_list_is_retried(hub: FaultyHub) -> None:
    hub.faults.add(Truncated(match="/models.csv", framing="content_length", times=1))
    assert len((await registry(hub)).records) == 4


async def test_plain_copy_of_tracked_list_is_read(tmp_path: Path) -> None:
    for file, content in contents().items():
        (tmp_path / file).write_bytes(content)
    app = web.Application()
    app.router.add_static("/lists", tmp_path)
    async with Serving(app) as serving:
        settings = Settings(tracked_models_url=f"{serving.url}/lists")
        tracked_list = await fetch_tracked_list(settings, QUICK)
    assert len(tracked_list.models) == 4
    assert set(tracked_list.corrections) == {"acorn/Acorn-7B"}
