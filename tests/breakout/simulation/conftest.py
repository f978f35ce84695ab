from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from breakout.simulation import Catalog, Launch, Model, SimulatedClock, SimulatedHub

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def small_catalog() -> Catalog:
    models = [
        Model(
            f"acorn/tiny-{n}B",
            created_at=datetime(2026, 1, n, 8, 22, 59, tzinfo=UTC),
            launch=Launch(day_30=1000 * n),
            safetensors_total=n * 10**9,
        )
        for n in range(1, 8)
    ]
    models.append(
        Model(
            "oak/grown-1B",
            created_at=datetime(2026, 2, 1, 9, tzinfo=UTC),
            base_models=("acorn/tiny-1B",),
            base_relation="finetune",
            gated="manual",
            tracked_in=None,
        )
    )
    return Catalog.of(models)


@pytest.fixture
async def hub() -> AsyncIterator[SimulatedHub]:
    async with SimulatedHub(small_catalog(), clock=SimulatedClock(NOW)) as running:
        yield running


@pytest.fixture
async def http(hub: SimulatedHub) -> AsyncIterator[httpx.AsyncClient]:
    # Plain HTTP: loading certificates would be most of a test's time.
    async with httpx.AsyncClient(base_url=hub.url, timeout=10, verify=False) as client:
        yield client
