"""The wheel alone is enough: built, installed elsewhere, and used far from the checkout."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from tests.support.embedded_servers import running_clickhouse

REPOSITORY = Path(__file__).resolve().parents[2]
DEPENDENCIES = Path(np.__file__).resolve().parents[1]
PACKAGES = {"breakout", "collectors", "streams", "api"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
    subprocess.run([*build, folder, REPOSITORY], check=True, stdout=subprocess.DEVNULL)
    (wheel,) = folder.glob("*.whl")
    return wheel


class Elsewhere:
    """A machine's Python with the wheel installed, and an empty folder to work in."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "venv" / "bin"
        self.home = folder / "home"
        self.home.mkdir()

    def run(self, *command: str, **variables: str) -> str:
        """Run a program of that environment; returns its standard output."""
        done = subprocess.run(
            [self.bin / command[0], *command[1:]],
            cwd=self.home,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    place = Elsewhere(folder)
    pip = [sys.executable, "-m", "pip", "--python", str(place.bin / "python"), "install", "--quiet"]
    subprocess.run(
        [*pip, "--disable-pip-version-check", "--no-deps", "--no-index", wheel], check=True
    )
    # What the wheel depends on is borrowed, so that nothing is fetched. A path that a .pth file
    # adds has its own .pth files ignored, so the checkout does not come along.
    (site_packages,) = (folder / "venv").glob("lib/python*/site-packages")
    (site_packages / "borrowed.pth").write_text(f"{DEPENDENCIES}\n")
    return place


def test_the_wheel_holds_what_the_program_reads(wheel: Path) -> None:
    names = set(ZipFile(wheel).namelist())
    sql = REPOSITORY / "sql"
    wanted = {f"breakout/_sql/{file.relative_to(sql)}" for file in sql.rglob("*.sql")}
    wanted |= {
        str(file.relative_to(REPOSITORY))
        for package in ("breakout", "api")
        for file in (REPOSITORY / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert "breakout/py.typed" in wanted
    assert "breakout/_sql/charts/ram_curves.sql" in wanted
    assert "breakout/_sql/views/ram_now.sql" in wanted
    assert "breakout/registry/overrides.csv" in wanted
    assert "api/page/assets/vendor/plot.min.js" in wanted
    assert "breakout/contract/schemas/DownloadsSlice.json" in wanted
    assert wanted - names == set()


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == PACKAGES


def test_the_packages_are_the_wheel_s(elsewhere: Elsewhere) -> None:
    program = (
        "import json, breakout, collectors, streams.app;"
        "print(json.dumps([breakout.__file__, collectors.__file__, streams.app.__file__]))"
    )
    files = [Path(file) for file in json.loads(elsewhere.run("python", "-c", program))]
    assert all(file.is_relative_to(elsewhere.bin.parent) for file in files), files


def test_the_command_lists_every_command(elsewhere: Elsewhere) -> None:
    text = elsewhere.run("breakout", "--help")
    assert {"up", "demo", "top", "migrate", "collect", "worker"} <= set(text.split())


def test_the_command_lists_every_chart(elsewhere: Elsewhere) -> None:
    listed = [line.split()[0] for line in elsewhere.run("breakout", "chart").splitlines()]
    assert listed == sorted(file.stem for file in (REPOSITORY / "sql" / "charts").glob("*.sql"))


@pytest.mark.parametrize("plugin", ["collect", "worker"])
def test_what_plugs_in_is_found(plugin: str, elsewhere: Elsewhere) -> None:
    assert f"breakout {plugin}" in elsewhere.run("breakout", plugin, "--help")


def test_it_migrates_a_database(elsewhere: Elsewhere, tmp_path: Path) -> None:
    with running_clickhouse(tmp_path / "clickhouse") as clickhouse:
        address = f"{clickhouse.url}/breakout"
        files = {file.name for file in (REPOSITORY / "sql" / "schema").glob("*.sql")}
        first = elsewhere.run("breakout", "migrate", CLICKHOUSE_URL=address)
        assert all(file in first for file in files), first
        again = elsewhere.run("breakout", "migrate", CLICKHOUSE_URL=address)
        assert not any(file in again for file in files), again
