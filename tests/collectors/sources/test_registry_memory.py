"""Runs after one another: what the list, the overrides and the names file no longer state is gone.

Each run has a job of its own, as after a restart: its memory is the topic.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from breakout.contract.events import DerivativesSlice, DownloadsSlice, ModelRecord
from breakout.contract.topics import DERIVATIVES, DOWNLOADS, MODELS
from breakout.registry.names import load_names
from breakout.registry.table import RegistryFileError
from breakout.settings import Settings
from collectors.scheduling.job import Job
from collectors.scheduling.report import summary
from collectors.sources.derivatives import DerivativesJob
from collectors.sources.huggingface import HuggingFaceJob
from collectors.sources.names import NameFacts, name_records
from collectors.sources.registry import RegistryJob
from tests.collectors.quick import QUICK
from tests.collectors.records import PARTITIONS, read_events
from tests.collectors.scripted import Scripted, scripted
from tests.support.server_process import Broker

NOW = datetime(2026, 8, 22, 11, tzinfo=UTC)
CREATED = "2026-03-02T23:29:04.000Z"


def repository(number: int) -> str:
    return f"{number:024x}"


@dataclass
class World:
    """A tracked-models list and a Hub, to change between runs."""

    broker: Broker
    server: Scripted
    tracked: list[str] = field(default_factory=list)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By current name."""
    redirects: dict[str, str] = field(default_factory=dict)
    runs: int = 0
    settings: dict[str, Any] = field(default_factory=dict)

    def add(self, model_id: str, number: int = 1, **facts: Any) -> None:
        self.rows[model_id] = {
            "_id": repository(number),
            "id": model_id,
            "downloadsAllTime": 1000,
            "createdAt": CREATED,
            "pipeline_tag": "text-generation",
        } | facts

    def rename(self, former: str, name: str) -> None:
        self.rows[name] = self.rows.pop(former) | {"id": name}
        self.redirects[former] = name

    def answer(self) -> None:
        """Serve the list and the Hub as they are now."""
        rows = [f"{one.replace('/', ',')},{one}" for one in self.tracked]
        files = {
            "models.csv": ["org,model,modelId", *rows],
            "extra_models.csv": ["org,model,modelId"],
            "metadata/organization_regions.csv": ["hf_org,region,notes"],
            "metadata/model_parameters.csv": ["model_id,total_params_b,active_params_b"],
            "metadata/release_date_corrections.csv": ["model_id,hf_created_at,actual_release_date"],
        }
        self.server.answers = {
            f"/list/{name}": self._text("\n".join(lines) + "\n") for name, lines in files.items()
        }
        self.server.answers["/api/models"] = self._listing
        for name in self.rows:
            self.server.answers[f"/api/models/{name}"] = self.rows[name]
        for former, name in self.redirects.items():
            self.server.answers[f"/api/models/{former}"] = self._redirect(name)

    def _text(self, text: str) -> Any:
        return lambda _request: web.Response(text=text)

    def _redirect(self, name: str) -> Any:
        return lambda request: web.Response(
            status=307, headers={"Location": f"/api/models/{name}?{request.query_string}"}
        )

    def _listing(self, request: web.Request) -> list[dict[str, Any]]:
        tag = request.query.get("filter")
        if tag is not None:
            return [row for row in self.rows.values() if tag in row.get("tags", ())]
        author = f"{request.query['author']}/"
        return [row for name, row in self.rows.items() if name.startswith(author)]

    async def run(self, kind: type[Job] = RegistryJob) -> str:
        self.answer()
        self.runs += 1
        settings = Settings(
            hf_endpoint=self.server.url,
            tracked_models_url=f"{self.server.url}/list",
            kafka_bootstrap_servers=self.broker.bootstrap,
            partitions=PARTITIONS,
            **self.settings,
        )
        job = kind(settings, give_up_after=20.0, request_policy=QUICK)
        return summary(await job.run(NOW + timedelta(hours=self.runs)))

    async def models(self) -> dict[str, ModelRecord]:
        found = await read_events(self.broker.bootstrap, MODELS, ModelRecord)
        return {one.model_id: one for one in sorted(found, key=lambda one: one.observed_at)}

    async def tracked_models(self) -> list[str]:
        return sorted(name for name, one in (await self.models()).items() if one.tracked)

    async def observed(self) -> list[str]:
        """Return the models of the latest scrape."""
        found = await read_events(self.broker.bootstrap, DOWNLOADS, DownloadsSlice)
        newest = max(one.observed_at for one in found)
        return sorted(
            model_id for one in found if one.observed_at == newest for model_id in one.models
        )


@pytest.fixture
async def world(broker: Broker) -> AsyncIterator[World]:
    async with scripted({}) as server:
        yield World(broker, server)


def add_all(world: World, models: Sequence[str]) -> None:
    world.tracked = list(models)
    for number, model_id in enumerate(models, start=1):
        world.add(model_id, number)


async def test_model_that_the_list_no_longer_names_is_no_longer_tracked(world: World) -> None:
    add_all(world, ["solo/Only-7B", "duo/Stays-7B", "duo/Gone-7B", "duo/Gone-7B-GGUF"])
    world.add("duo/Untagged-7B", 9, pipeline_tag=None)
    world.tracked.append("duo/Untagged-7B")
    await world.run()
    assert len(await world.tracked_models()) == 5
    world.tracked = ["duo/Stays-7B"]
    assert "no longer tracked: 4" in await world.run()
    assert await world.tracked_models() == ["duo/Stays-7B"]
    assert "no longer tracked" not in await world.run()
    world.tracked = ["duo/Stays-7B", "solo/Only-7B"]
    await world.run()
    assert await world.tracked_models() == ["duo/Stays-7B", "solo/Only-7B"]


async def test_model_that_the_hub_does_not_list_is_withdrawn_too(world: World) -> None:
    add_all(world, ["duo/Stays-7B", "duo/Deleted-7B"])
    await world.run()
    created_at = (await world.models())["duo/Deleted-7B"].created_at
    world.tracked, world.rows = ["duo/Stays-7B"], {"duo/Stays-7B": world.rows["duo/Stays-7B"]}
    await world.run()
    deleted = (await world.models())["duo/Deleted-7B"]
    assert (deleted.tracked, deleted.size_bin) == (False, "7-9B")
    assert deleted.created_at == created_at


async def test_short_list_withdraws_nothing_and_counters_are_scraped_on(world: World) -> None:
    models = [f"duo/Model-{number}-7B" for number in range(40)]
    add_all(world, models)
    await world.run()
    world.tracked = models[:3]
    with pytest.raises(RegistryFileError, match="lacks 37 of the 40 tracked models"):
        await world.run()
    await world.run(HuggingFaceJob)
    assert await world.observed() == sorted(models)
    assert await world.tracked_models() == sorted(models)
    world.settings = {"withdraw_limit": 1.0}
    await world.run()
    assert await world.tracked_models() == sorted(models[:3])


async def test_list_that_cannot_be_read_after_a_restart_leaves_the_known_one(world: World) -> None:
    add_all(world, ["duo/One-7B", "duo/Two-7B-GGUF"])
    await world.run()
    world.settings = {"tracked_models_url": f"{world.server.url}/nowhere"}
    settings = Settings(
        hf_endpoint=world.server.url,
        tracked_models_url=f"{world.server.url}/nowhere",
        kafka_bootstrap_servers=world.broker.bootstrap,
        partitions=PARTITIONS,
    )
    await HuggingFaceJob(settings, give_up_after=20.0, request_policy=QUICK).run(NOW)
    assert await world.observed() == ["duo/One-7B", "duo/Two-7B-GGUF"]
    assert len(await world.tracked_models()) == 2


async def test_scrape_with_an_older_list_leaves_what_the_registry_says(world: World) -> None:
    add_all(world, ["duo/One-7B"])
    world.add("duo/New-7B", 2)
    world.tracked.append("duo/New-7B")
    await world.run()
    world.tracked.remove("duo/New-7B")
    await world.run(HuggingFaceJob)
    assert await world.tracked_models() == ["duo/New-7B", "duo/One-7B"]
    world.add("duo/Newer-7B", 3)
    await world.run(HuggingFaceJob)
    assert "duo/Newer-7B" in await world.models()


async def test_override_that_was_taken_out_no_longer_holds(world: World, tmp_path: Path) -> None:
    add_all(world, ["duo/Stays-7B", "duo/Deleted-7B"])
    mine = tmp_path / "overrides.csv"
    header = "model_id,field,value,reason,source\n"
    rows = [f"duo/{name}-7B,region,eu,moved,a page\n" for name in ("Stays", "Deleted")]
    rows.append("duo/Stays-7B,total_params_b,70,wrong,a page\n")
    mine.write_text(header + "".join(rows))
    world.settings = {"overrides_file": mine}
    await world.run()
    assert {one.region for one in (await world.models()).values()} == {"eu"}
    assert (await world.models())["duo/Stays-7B"].size_bin == "50-100B"
    mine.write_text(header)
    del world.rows["duo/Deleted-7B"]
    await world.run()
    assert {one.region for one in (await world.models()).values()} == {None}
    assert (await world.models())["duo/Stays-7B"].size_bin == "7-9B"


async def test_settled_size_outlives_a_restart(world: World) -> None:
    add_all(world, ["duo/Model"])
    world.rows["duo/Model"]["safetensors"] = {"total": 170_000_000_000}
    await world.run()
    world.rows["duo/Model"]["safetensors"] = {"total": 1_060_000_000_000}
    await world.run()
    found = (await world.models())["duo/Model"]
    assert (found.total_params_b, found.size_bin, found.size_total_b) == (170, "100-250B", 1060)


async def test_repository_listed_under_two_names_counts_once(world: World) -> None:
    add_all(world, ["ali/Old-7B"])
    world.rename("ali/Old-7B", "ali/New-7B")
    await world.run()
    assert await world.tracked_models() == ["ali/Old-7B"]
    world.tracked = ["ali/Old-7B", "ali/New-7B"]
    await world.run()
    assert await world.tracked_models() == ["ali/New-7B"]
    assert (await world.models())["ali/Old-7B"].renamed_to == "ali/New-7B"
    await world.run(HuggingFaceJob)
    assert await world.observed() == ["ali/New-7B"]


async def test_two_former_names_of_one_repository_count_once(world: World) -> None:
    add_all(world, ["ali/B-7B"])
    world.rename("ali/B-7B", "ali/New-7B")
    world.redirects["ali/A-7B"] = "ali/New-7B"
    await world.run()
    world.tracked = ["ali/A-7B", "ali/B-7B"]
    await world.run()
    assert await world.tracked_models() == ["ali/B-7B"]
    await world.run(HuggingFaceJob)
    assert await world.observed() == ["ali/B-7B"]


async def test_rename_is_found_by_the_repository_without_a_request(world: World) -> None:
    add_all(world, ["ali/Old-7B", "ali/Other-7B"])
    await world.run()
    world.rename("ali/Old-7B", "ali/New-7B")
    world.redirects.clear()
    world.server.requests.clear()
    await world.run()
    assert (await world.models())["ali/Old-7B"].renamed_to == "ali/New-7B"
    assert await world.tracked_models() == ["ali/Old-7B", "ali/Other-7B"]
    assert not [path for path in world.server.paths() if path.startswith("/api/models/")]


async def test_renamed_base_keeps_its_derivatives(world: World) -> None:
    add_all(world, ["ren/Old-7B"])
    world.rename("ren/Old-7B", "ren/New-7B")
    base = {"relation": "finetune", "models": [{"_id": repository(1), "id": "ren/New-7B"}]}
    by_name = {"relation": "finetune", "models": [{"id": "ren/Old-7B"}]}
    world.add("kid/a", 11, baseModels=base, tags=["base_model:ren/Old-7B"])
    world.add("kid/b", 12, baseModels=base, tags=["base_model:ren/New-7B"])
    world.add("kid/c", 13, baseModels=by_name, tags=["base_model:ren/Old-7B"])
    await world.run(DerivativesJob)
    (found,) = await read_events(world.broker.bootstrap, DERIVATIVES, DerivativesSlice)
    assert found.models == ["kid/a", "kid/b", "kid/c"]
    assert found.parents == [["ren/Old-7B"]] * 3


async def test_row_taken_out_of_the_names_file_no_longer_holds(tmp_path: Path) -> None:
    mine = tmp_path / "names.csv"
    header = "source,name,open,model_id\n"
    mine.write_text(f"{header}arena,reviewed,open,acorn/Acorn-7B\n")
    listed = {
        "reviewed": NameFacts(title="Reviewed", vendor="Nobody", licensed_open=False),
        "licensed": NameFacts(licensed_open=True),
    }
    first = name_records("arena", listed, load_names(mine), observed_at=NOW)
    known = {record.name: record for record in first}
    assert (known["reviewed"].open, known["reviewed"].model_id) == (True, "acorn/Acorn-7B")
    mine.write_text(header)
    later = NOW + timedelta(days=1)
    found = {
        record.name: record
        for record in name_records("arena", {}, load_names(mine), observed_at=later, known=known)
    }
    reviewed = found["reviewed"]
    assert (reviewed.open, reviewed.model_id, reviewed.org) == (False, None, None)
    assert (reviewed.title, reviewed.vendor) == ("Reviewed", "Nobody")
    # What has not changed has no new record.
    assert "licensed" not in found
