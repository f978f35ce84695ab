"""The dashboards' files: built from their code, whole, consistent, and linked to each other."""

import json
import re
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.builders.dashboard import Dashboard

from breakout.migrations import migrations_folder
from grafana.builder.addresses import CLICKHOUSE, PROMETHEUS, Uid
from grafana.builder.colours import ORGANISATIONS, REGIONS
from grafana.builder.dashboards import build
from grafana.builder.layout import COLUMNS, Section, place
from grafana.builder.provenance import TITLES
from grafana.builder.queries import chart
from tests.grafana.expand import names
from tests.grafana.files import DASHBOARDS, FOLDER, Place, annotations, overrides, panels, variables
from tools.reference.metrics import all_metrics, series_name

PANELS = list(panels())
each_panel = pytest.mark.parametrize("place", PANELS, ids=str)
each_dashboard = pytest.mark.parametrize("name", DASHBOARDS)
SERIES = {
    series_name(one) + end for one in all_metrics() for end in ("", "_bucket", "_sum", "_count")
}


def test_the_files_are_what_the_code_builds() -> None:
    found = {file.name: file.read_text() for file in (FOLDER / "dashboards").glob("*.json")}
    assert found == build(), "run `make dashboards`"


def test_check_says_which_file_differs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "grafana.builder", "--check"]
    assert subprocess.run(command, cwd=FOLDER.parent, check=False).returncode == 0
    shutil.copytree(FOLDER, tmp_path / "grafana")
    file = tmp_path / "grafana" / "dashboards" / "model.json"
    file.write_text(file.read_text().replace("RAM now", "RAM then"))
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert (
        answer.stdout
        == "grafana/dashboards/model.json differs from its code: run `make dashboards`\n"
    )


def test_there_is_one_file_for_each_uid() -> None:
    assert {one["uid"] for one in DASHBOARDS.values()} == set(Uid)
    assert all(len(uid) <= 40 for uid in Uid)


@each_dashboard
def test_a_dashboard_is_whole(name: str) -> None:
    dashboard = DASHBOARDS[name]
    assert dashboard["title"]
    assert dashboard["description"]
    assert dashboard["timezone"] == "utc"
    assert dashboard["editable"] is False
    assert "id" not in dashboard or dashboard["id"] is None, "Grafana gives the id"
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    assert not set(dashboard) & {"apiVersion", "spec"}, "the classic format"


@each_dashboard
def test_panels_do_not_overlap(name: str) -> None:
    places = [(panel["title"], panel["gridPos"]) for panel in DASHBOARDS[name]["panels"]]
    for title, at in places:
        assert at["x"] >= 0, title
        assert at["x"] + at["w"] <= COLUMNS, title
        assert min(at["w"], at["h"]) >= 1, title
    for (one, a), (other, b) in combinations(places, 2):
        apart = (
            a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
            or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        )  # fmt: skip
        assert apart, f"{one} and {other} overlap"


def test_a_panel_wider_than_the_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="Downloads: a panel is 25 wide, the grid 24"):
        place(Dashboard("x"), [Section("Downloads", [(None, 25)])])


@each_panel
def test_a_panel_says_what_is_seen(place: Place) -> None:
    panel = place.panel
    assert len(panel["title"]) > 2
    assert len(panel["description"]) > 20
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"], "a unit"
    assert len(defaults["noValue"]) > 4, "what is shown without data"
    own = panel["datasource"]["uid"] == PROMETHEUS
    tables = "tables have them" in panel["description"] or "heartbeats" in panel["description"]
    assert (
        own
        or tables
        or "Sources:" in panel["description"]
        or "Every number" in panel["description"]
    )


@each_panel
def test_a_panel_asks_known_sources(place: Place) -> None:
    kinds = {CLICKHOUSE: "grafana-clickhouse-datasource", PROMETHEUS: "prometheus"}
    for asked in (place.panel, *place.panel["targets"]):
        assert asked["datasource"]["type"] == kinds[asked["datasource"]["uid"]]
    refs = [one["refId"] for one in place.panel["targets"]]
    assert len(refs) == len(set(refs))
    assert refs


@each_panel
def test_missing_values_are_gaps(place: Place) -> None:
    panel = place.panel
    if (
        panel["type"] in {"timeseries", "trend"}
        and panel["fieldConfig"]["defaults"]["custom"].get("drawStyle") != "bars"
    ):
        assert panel["fieldConfig"]["defaults"]["custom"]["spanNulls"] is False


@each_panel
def test_a_name_has_the_same_colour_everywhere(place: Place) -> None:
    known = {**REGIONS, **ORGANISATIONS}
    for name, properties in overrides(place.panel).items():
        if name in known and "color" in properties:
            assert properties["color"]["fixedColor"] == known[name]
    mode = place.panel["fieldConfig"]["defaults"].get("color", {}).get("mode")
    if place.panel["type"] in {"timeseries", "trend"}:
        assert mode == "palette-classic-by-name", "what has no fixed colour has that of its name"


@each_dashboard
def test_every_variable_that_is_used_is_there(name: str) -> None:
    text = json.dumps([DASHBOARDS[name]["panels"], annotations(name)])
    there = variables(name)
    assert names(text) <= set(there)
    for variable in there.values():
        if isinstance(variable.get("query"), str):
            assert names(variable["query"]) <= set(there)


@each_dashboard
def test_links_lead_to_dashboards_and_their_variables(name: str) -> None:
    links = re.findall(r'"url": "(/d/[^"]+)"', json.dumps(DASHBOARDS[name]))
    assert links
    by_uid = {one["uid"]: stem for stem, one in DASHBOARDS.items()}
    for link in links:
        path, _, query = link.partition("?")
        stem = by_uid[path.removeprefix("/d/")]
        for part in filter(None, query.split("&")):
            variable = part.partition("=")[0]
            assert variable.removeprefix("var-") in variables(stem)
    others = {f"/d/{uid}" for uid in Uid} - {f"/d/{DASHBOARDS[name]['uid']}"}
    assert others <= {link.partition("?")[0] for link in links}


def test_every_chart_of_the_mission_is_on_a_dashboard() -> None:
    shown = " ".join(
        one["rawSql"] for place in PANELS for one in place.panel["targets"] if "rawSql" in one
    )
    shown = _bare(shown)
    for file in sorted((migrations_folder() / "charts").iterdir(), key=lambda file: file.name):
        lines = chart(file.name.removesuffix(".sql")).splitlines()
        first = [line for line in lines if "{" not in line and "'" not in line][:2]
        assert all(_bare(line) in shown for line in first), file.name


def _bare(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).strip()


def test_metrics_that_are_asked_exist() -> None:
    asked: set[str] = set()
    for shown in PANELS:
        for one in shown.panel["targets"]:
            asked |= set(re.findall(r"\bbreakout_\w+", one.get("expr", "")))
    assert asked
    assert asked <= SERIES


def test_sources_are_those_of_the_schema() -> None:
    sql = "\n".join(
        file.read_text() for file in migrations_folder().iterdir() if file.name.endswith(".sql")
    )
    for source, title in TITLES.items():
        assert f"('{source}', '{title}'" in sql


@pytest.mark.parametrize("name", [stem for stem in DASHBOARDS if stem != "pipeline"])
def test_sources_in_descriptions_have_their_variables(name: str) -> None:
    text = json.dumps(DASHBOARDS[name]["panels"])
    used = set(re.findall(r"\$\{(source_\w+)\}", text))
    assert used
    hidden: dict[str, Any] = variables(name)
    assert all(hidden[one]["hide"] == 2 for one in used)
