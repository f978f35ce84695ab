"""The example script makes every chart from a running API."""

import csv
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import httpx
import pytest

from breakout.settings import Settings
from tests.api.server import ApiServer
from tests.breakout.clickhouse.charts import seeds

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "examples" / "charts_from_the_api.py"


def charts(url: str, folder: Path) -> dict[str, list[dict[str, str]]]:
    subprocess.run([sys.executable, SCRIPT, url, folder], check=True, stdout=subprocess.DEVNULL)
    return {
        file.stem: list(csv.DictReader(file.read_text().splitlines())) for file in folder.iterdir()
    }


def test_charts_of_the_seed_data(server: ApiServer, tmp_path: Path) -> None:
    found = charts(server.url, tmp_path)
    needs_ram = {"downloads_of_the_leaders", "ram_by_size_bin", "breakouts"}
    assert {name for name, rows in found.items() if not rows} <= needs_ram
    shares: dict[str, float] = defaultdict(float)
    for row in found["downloads_by_region"]:
        shares[row["period"]] += float(row["share"])
    assert dict(shares) == pytest.approx(dict.fromkeys(shares, 1.0))
    regions = {model: facts[1] for model, facts in seeds.MODELS.items() if facts[3]}
    last = {m: max(s.values()) for m, s in seeds.grid().items() if s and m in regions}
    china = sum(count for model, count in last.items() if regions[model] == "china")
    (latest,) = [
        row
        for row in found["downloads_by_region"]
        if (row["period"], row["group"]) == ("2026-03-01", "china")
    ]
    assert int(latest["cumulative"]) == china


def test_charts_of_data_with_ram(ram_api: tuple[httpx.Client, Settings], tmp_path: Path) -> None:
    found = charts(str(ram_api[0].base_url), tmp_path)
    assert len({row["group"] for row in found["downloads_of_the_leaders"]}) == 5
    assert {row["age_days"] for row in found["ram_by_size_bin"]} == {"7", "14", "30"}
    assert found["breakouts"]
