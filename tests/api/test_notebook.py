"""The notebook of docs/examples runs against an API, and draws its charts."""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import nbformat
import pytest

from breakout.clickhouse.client import writer_client
from breakout.settings import Settings
from tests.api import ram_world
from tests.api.conftest import serving
from tests.api.server import ApiServer
from tests.breakout.cli.seed import insert
from tests.breakout.clickhouse.charts import seeds
from tests.support.embedded_servers import ClickHouseServer

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "examples" / "adoption.ipynb"
CHARTS, SMALLEST = 4, 5000
"""How many pictures, and the least bytes of one that is not empty."""


@pytest.fixture
def every_signal(clickhouse: ClickHouseServer, tmp_path: Path) -> Iterator[ApiServer]:
    """An API with downloads, RAM, breakouts and inference tokens."""
    settings = Settings(clickhouse_url=f"{clickhouse.url}/notebook")
    ram_world.load(settings, ram_world.LAST, 1)
    with closing(writer_client(settings)) as client:
        insert(client, "names_log", *seeds.names())
        insert(client, "inference_log", *seeds.inference())
    with serving(tmp_path / "api", settings) as server:
        yield server


def test_notebook_draws_its_charts(every_signal: ApiServer, tmp_path: Path) -> None:
    done = tmp_path / "done.ipynb"
    execute = [sys.executable, "-c", "from nbclient.cli import main; main()"]
    ran = subprocess.run(
        [*execute, str(NOTEBOOK), "--output", str(done), "--timeout", "120"],
        env={**os.environ, "BREAKOUT_URL": every_signal.url, "IPYTHONDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    outputs = [
        output
        for cell in nbformat.read(done, as_version=4).cells
        for output in cell.get("outputs", [])
    ]
    data = [output["data"] for output in outputs if "data" in output]
    pictures = [base64.b64decode(one["image/png"]) for one in data if "image/png" in one]
    assert [len(picture) > SMALLEST for picture in pictures] == [True] * CHARTS
    assert not [output for output in outputs if output.get("name") == "stderr"]


def test_notebook_is_stored_without_outputs() -> None:
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
