"""Clients that openapi-python-client and openapi-typescript generate from the description."""

import json
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.api.server import ApiServer
from tests.foreign_clients.installed import HERE, openapi_python, openapi_typescript

SECONDS = 120.0
SOURCE = HERE / "openapi"


def run(command: list[str | Path], folder: Path) -> str:
    ran = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def described(api: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the description."""
    folder = tmp_path_factory.mktemp("described")
    (folder / "openapi.json").write_bytes(httpx.get(f"{api.url}/openapi.json").content)
    return folder


def test_openapi_python_client(api: ApiServer, described: Path) -> None:
    (command,) = openapi_python()
    config = str(SOURCE / "config.yaml")
    options = ["--path", "openapi.json", "--config", config, "--meta", "none"]
    told = run([command, "generate", *options, "--output-path", "breakout_api"], described)
    # It leaves out what it cannot use, and says so.
    assert "WARNING" not in told, told
    python = Path(command).parent / "python"
    use: list[str | Path] = [python, SOURCE / "use_client.py", described, api.url]
    used = json.loads(run(use, described))
    rows = httpx.get(f"{api.url}/v1/models?org=qi").json()["data"]
    assert used["models"] == [row["model_id"] for row in rows]
    assert used["released"] == [str(row["released_at"]) for row in rows]
    series = httpx.get(f"{api.url}/v1/downloads?model=qi/Big-300B&limit=2").json()["data"]
    assert used["days"] == [row["period"] for row in series]
    assert (used["next"], used["unknown"], used["badge"]) == (True, 404, True)


def test_openapi_typescript(described: Path) -> None:
    installed = openapi_typescript()
    programs = installed / "node_modules" / ".bin"
    run([programs / "openapi-typescript", "openapi.json", "-o", "breakout.ts"], described)
    shutil.copy(SOURCE / "use_types.ts", described)
    options = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext"]
    run([programs / "tsc", *options, "use_types.ts"], described)
