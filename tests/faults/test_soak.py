"""An hour at more than twice the expected rate: memory and parts do not grow.

Expected are a hundred thousand models observed hourly, 28 observations a second. Here two thousand
are observed every half minute, 67 a second. `make soak`, or BREAKOUT_SOAK_MINUTES=5 make soak.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean

import pytest

from tests.support.events import model, observed
from tests.support.kafka.installed import why_not
from tests.support.rig import LinkedRig, running_rig

MINUTES = float(os.environ.get("BREAKOUT_SOAK_MINUTES", "60"))
PERIOD_SECONDS = 30.0
MODELS = [f"soak-{number % 50}/model-{number}" for number in range(2000)]
REPORT = Path("test-artifacts") / "soak.json"

pytestmark = [pytest.mark.soak, pytest.mark.timeout(MINUTES * 60 + 1800)]


@dataclass(frozen=True)
class Reading:
    """Measurements of the running pipeline at one time."""

    minute: float
    worker_mb: list[float]
    clickhouse_mb: float
    parts: int
    """Active parts of the table and partition with most of them."""
    lag: int
    """Records not acknowledged."""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[LinkedRig]:
    with running_rig(tmp_path, "embedded" if why_not() else "kafka") as running:
        yield running


def resident_mb(pid: int) -> float:
    """Return a process's resident memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def read(rig: LinkedRig, started: float) -> Reading:
    (parts,) = rig.rows(
        "SELECT max(parts) AS most FROM (SELECT count() AS parts FROM system.parts "
        "WHERE active AND database = currentDatabase() GROUP BY table, partition)"
    )
    assert rig.clickhouse.process is not None
    return Reading(
        minute=round((time.monotonic() - started) / 60, 1),
        worker_mb=[round(resident_mb(worker.process.pid), 1) for worker in rig.workers],
        clickhouse_mb=round(resident_mb(rig.clickhouse.process.pid), 1),
        parts=parts["most"],
        lag=sum(rig.lag().values()),
    )


def test_an_hour_under_load(rig: LinkedRig) -> None:
    rig.publish([model(one) for one in MODELS])
    rig.start_worker()
    rig.start_worker()
    rig.wait_caught_up(120)
    started, readings, scrape = time.monotonic(), [], 0
    while (due := started + scrape * PERIOD_SECONDS) < started + MINUTES * 60:
        time.sleep(max(0.0, due - time.monotonic()))
        # Every tenth comes late.
        hours = scrape - 5 if scrape % 10 == 9 else scrape
        rig.publish([observed(MODELS, (hours + 0.5 * (hours != scrape)) / 24, _counts(hours))])
        readings.append(read(rig, started))
        scrape += 1
    rig.verify()
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps([asdict(reading) for reading in readings], indent=1))
    assert all(worker.is_running for worker in rig.workers)
    quarter = len(readings) // 4
    early, late = readings[quarter : 2 * quarter], readings[-quarter:]
    for number in range(len(rig.workers)):
        before = mean(reading.worker_mb[number] for reading in early)
        after = mean(reading.worker_mb[number] for reading in late)
        assert after < 1.15 * before, (before, after)
    assert max(reading.parts for reading in readings) < 100
    assert all(reading.lag < 50 for reading in readings)


def _counts(hours: int) -> list[int]:
    return [1000 * (number + 1) + 37 * hours * (1 + number % 7) for number in range(len(MODELS))]
