"""The dashboards' files: built from their code, whole, consistent, and linked to each other."""

import json
import math
import re
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.builders.dashboard import Dashboard

from breakout.clickhouse.migrations import sql_folder
from grafana.builder.addresses import CLICKHOUSE, PROMETHEUS, Uid
from grafana.builder.colours import ABOVE, BELOW, FELL, RANKS, REGIONS
from grafana.builder.dashboards import build
from grafana.builder.layout import COLUMNS, Section, place
from grafana.builder.panels import DASH
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
    without = defaults["noValue"]
    # Grafana shows it when the source does not answer, too: then it must state no fact.
    assert without == DASH or re.fullmatch(r"No .+ to show", without)
    if panel["type"] == "table":
        # And in every empty cell, if the column does not have its own.
        assert without != DASH
        columns = overrides(panel)
        assert all(one["noValue"] == DASH for one in columns.values())
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
    kinds = {
        CLICKHOUSE: "grafana-clickhouse-datasource",
        PROMETHEUS: "prometheus",
        "grafana": "datasource",
    }
    sources = {one["datasource"]["uid"] for one in place.panel["targets"]}
    of_panel = place.panel["datasource"]
    for asked in place.panel["targets"]:
        assert asked["datasource"]["type"] == kinds[asked["datasource"]["uid"]]
    if len(sources) == 1:
        assert of_panel == place.panel["targets"][0]["datasource"]
    else:
        assert of_panel == {"type": "datasource", "uid": "-- Mixed --"}
    refs = [one["refId"] for one in place.panel["targets"]]
    assert len(refs) == len(set(refs))
    assert refs


@pytest.mark.parametrize("place", [one for one in PANELS if one.panel["type"] == "trend"], ids=str)
def test_a_panel_by_age_has_its_columns_when_the_source_is_away(place: Place) -> None:
    # It looks for its field before it looks for rows, and would say "Unable to find field"; of a
    # table without rows it says the panel's own sentence.
    rows, none = place.panel["targets"]
    assert rows["datasource"]["uid"] == CLICKHOUSE
    assert none["queryType"] == "snapshot"
    (frame,) = none["snapshot"]
    columns = [one["name"] for one in frame["schema"]["fields"]]
    assert columns == ["age_days", "label", "value"]
    assert frame["data"]["values"] == [[], [], []]
    assert place.panel["transformations"][0]["id"] == "merge"


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
    for name, properties in overrides(place.panel).items():
        if name in REGIONS and "color" in properties:
            assert properties["color"]["fixedColor"] == REGIONS[name]
    mode = place.panel["fieldConfig"]["defaults"].get("color", {}).get("mode")
    if place.panel["type"] in {"timeseries", "trend"}:
        assert mode == "palette-classic", "a colour derived from a name may be close to another's"


def test_ranked_organisations_have_the_colours_of_their_ranks() -> None:
    ranked = [
        one.panel
        for one in PANELS
        if "leftPad(toString(rank), 2)" in one.panel["targets"][0].get("rawSql", "")
    ]
    assert len(ranked) == 5
    for panel in ranked:
        colours = overrides(panel, "byRegexp")
        for n, colour in enumerate(RANKS, 1):
            (found,) = [
                one["color"]["fixedColor"]
                for pattern, one in colours.items()
                if re.search(pattern.strip("/"), f"{n:>2}. Qwen")
            ]
            assert found == colour


# Grafana's shades on its dark and its light theme (grafana-data, createVisualizationColors.ts).
SHADES = {
    "dark-blue": ("#1F60C4", "#1250B0"), "light-blue": ("#8AB8FF", "#5794F2"),
    "blue": ("#5794F2", "#3274D9"), "dark-orange": ("#FA6400", "#E55400"),
    "orange": ("#FF9830", "#FF780A"), "dark-yellow": ("#E0B400", "#CC9D00"),
    "green": ("#73BF69", "#56A64B"), "dark-green": ("#37872D", "#19730E"),
    "semi-dark-green": ("#56A64B", "#37872D"), "red": ("#F2495C", "#E02F44"),
    "super-light-red": ("#FFA6B0", "#FF7383"), "purple": ("#B877D9", "#A352CC"),
    "light-purple": ("#CA95E5", "#B877D9"), "semi-dark-purple": ("#A352CC", "#8F3BB8"),
    "text": ("#CCCCDC", "#24292E"),
}  # fmt: skip
PANEL_BACKGROUNDS = ("#181B1F", "#FFFFFF")


def linear(colour: str) -> tuple[float, float, float]:
    """Return the light of a colour's red, green and blue."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts
    )
    return red, green, blue


def contrast(one: str, other: str) -> float:
    """Return the contrast as WCAG defines it."""
    lights = sorted(
        0.2126 * red + 0.7152 * green + 0.0722 * blue
        for red, green, blue in (linear(one), linear(other))
    )
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def lab(colour: str) -> tuple[float, float, float]:
    """Return a colour in CIE L*a*b*, in which distances are about as large as they look."""
    red, green, blue = linear(colour)
    x, y, z = (
        part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116
        for part in (
            (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047,
            0.2126 * red + 0.7152 * green + 0.0722 * blue,
            (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883,
        )
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("theme", [0, 1], ids=["dark", "light"])
def test_colours_can_be_read_and_told_apart(theme: int) -> None:
    for name in set(REGIONS.values()) - {"#808080"}:
        assert contrast(SHADES[name][theme], PANEL_BACKGROUNDS[theme]) >= 4.5, name
    for name in RANKS:
        assert contrast(SHADES[name][theme], PANEL_BACKGROUNDS[theme]) >= 2, name
    for one, other in combinations([*RANKS], 2):
        assert math.dist(lab(SHADES[one][theme]), lab(SHADES[other][theme])) > 15, (one, other)
    for one, other in combinations(REGIONS.values(), 2):
        first, second = (SHADES.get(name, (name, name))[theme] for name in (one, other))
        assert math.dist(lab(first), lab(second)) > 30, (one, other)


def test_crossings_and_their_ends_are_marked_differently() -> None:
    for name in ("breakouts", "model"):
        colours = {one["name"]: one["iconColor"] for one in annotations(name)}
        assert (colours["Passed 1.0x"], colours["Fell below 0.9x"]) == (ABOVE, FELL)
    for one in annotations("breakouts"):
        assert "${models:singlequote}" in one["target"]["rawSql"], "those of the chosen models"


# At 1600 px with the menu open: 300 px of menu, 16 px on each side, a scroll bar of 8 px, and
# 8 px between panels.
GRID = (1600 - 300 - 2 * 16 - 8 + 8) / COLUMNS


def width(panel: dict[str, Any]) -> float:
    """Return the pixels inside a panel's border."""
    pixels: float = panel["gridPos"]["w"] * GRID - 8 - 2
    return pixels


PHONE = 390 - 2 * 8 - 2
"""Pixels inside a panel's border on a phone, where panels stand below each other."""


def pixels(text: str) -> float:
    """Return the width of a text in Inter, medium, 14 px high, as a browser measures it."""
    widths = {
        "ijl I": 3.9,
        "!,.:';": 4.5,
        "()/[]\\`t|fr": 5.4,
        "1-_": 6.5,
        "mM": 12.8,
        "%W@": 14.1,
        "w": 11.8,
    }
    return sum(
        next((wide for some, wide in widths.items() if one in some), 10 if one.isupper() else 8.7)
        for one in text
    )


@each_panel
def test_titles_fit(place: Place) -> None:
    title = re.sub(r"\$\{\w+\}", "100-250B", place.panel["title"])
    # Beside it the sign of its description and its menu.
    assert pixels(title) + 56 <= min(width(place.panel), PHONE), title


@each_dashboard
def test_titles_say_something_without_data(name: str) -> None:
    for panel in DASHBOARDS[name]["panels"]:
        asked = [one for one in names(panel["title"]) if variables(name)[one]["type"] == "query"]
        # Without data, or without its source, such a variable is empty.
        assert not asked or panel["type"] == "row", panel["title"]
        assert re.sub(r"\$\{\w+\}", "", panel["title"]).strip()


@pytest.mark.parametrize("place", [one for one in PANELS if one.panel["type"] == "table"], ids=str)
def test_all_columns_are_seen_with_their_headers(place: Place) -> None:
    # As Grafana computes widths (grafana-ui, TableNG, computeColWidths): a column has its width,
    # or its least width and an equal share of what is left.
    columns = [one for one in overrides(place.panel).values() if "custom.hideFrom.viz" not in one]
    sorts = {one["displayName"] for one in place.panel["options"].get("sortBy", [])}
    least = [one.get("custom.width") or one["custom.minWidth"] for one in columns]
    assert sum(least) <= width(place.panel), sum(least) - width(place.panel)
    rest = [one for one in columns if "custom.width" not in one]
    share = (width(place.panel) - sum(one.get("custom.width", 0) for one in columns)) / max(
        len(rest), 1
    )
    for one, wide in zip(columns, least, strict=True):
        real = wide if "custom.width" in one else max(wide, share)
        icons = 22 * (bool(one.get("custom.filterable")) + (one["displayName"] in sorts))
        assert pixels(one["displayName"]) + 13 + icons <= real, one["displayName"]


@pytest.mark.parametrize("place", [one for one in PANELS if one.panel["type"] == "table"], ids=str)
def test_no_text_of_a_table_is_cut_off(place: Place) -> None:
    for name, one in overrides(place.panel).items():
        if one["unit"] == "string" and "custom.minWidth" in one:
            assert one["custom.wrapText"] is True, name
        if one["unit"] == "dtdurations":
            # With one: "3 minutes, 16 seconds", "39 seconds, 0 milliseconds".
            assert one["decimals"] == 0, name


@pytest.mark.parametrize("place", [one for one in PANELS if one.panel["type"] == "table"], ids=str)
def test_a_text_without_a_colour_of_its_own_has_that_of_text(place: Place) -> None:
    for name, one in overrides(place.panel).items():
        if one.get("custom.cellOptions") == {"type": "color-text"}:
            # Grafana's own thresholds begin with green, which has a meaning here.
            assert [step["color"] for step in one["thresholds"]["steps"]] == ["text"], name


@pytest.mark.parametrize("place", [one for one in PANELS if one.panel["type"] == "stat"], ids=str)
def test_a_missing_number_is_neither_good_nor_bad(place: Place) -> None:
    defaults = place.panel["fieldConfig"]["defaults"]
    # Grafana gives it the colour of the lowest step.
    if steps := defaults.get("thresholds", {}).get("steps"):
        assert steps[0] == {"color": BELOW, "value": None}
        assert all(step["value"] >= 0 for step in steps[1:])


def test_the_columns_of_a_joined_table_are_in_their_order() -> None:
    joined = [
        one.panel
        for one in PANELS
        if "joinByField" in [step["id"] for step in one.panel.get("transformations", [])]
    ]
    assert joined
    for panel in joined:
        places = panel["transformations"][-1]["options"]["indexByName"]
        # Grafana calls all but the column joined by "ram A": by their query's letter.
        for n, name in enumerate(overrides(panel)):
            shown = name if n == 0 or name.startswith("Trend #") else f"{name} A"
            assert places[shown] == n, shown


@each_panel
def test_axes_show_what_is_compared(place: Place) -> None:
    panel = place.panel
    defaults = panel["fieldConfig"]["defaults"]
    if panel["type"] not in {"timeseries", "trend"}:
        return
    if defaults["unit"] == "percentunit":
        assert (defaults["min"], defaults["max"]) == (0, 1)
    if defaults["unit"] == "suffix:x":
        assert (defaults["custom"]["axisSoftMin"], defaults["custom"]["axisSoftMax"]) == (0, 1.2)
    if defaults["custom"].get("drawStyle") == "bars":
        assert defaults["min"] == 0
    if defaults["unit"] == "none" and defaults["custom"].get("axisSoftMin") == 0:
        assert defaults["decimals"] == 0, "there is no half of what is counted"
        if defaults["custom"].get("drawStyle") == "bars":
            assert defaults["custom"]["axisSoftMax"] == 1, "or it reaches to 100 where all are 0"
    assert defaults["unit"] != "s", "its ticks read 3.33 mins"


@each_panel
def test_a_chart_has_one_query_of_clickhouse(place: Place) -> None:
    asked = [one for one in place.panel["targets"] if "rawSql" in one]
    if place.panel["type"] != "table":
        assert len(asked) <= 1, "of two, each would call its series by its letter too"


@each_panel
def test_no_column_is_a_bool(place: Place) -> None:
    assert "bool" not in json.dumps(place.panel["fieldConfig"]), "a mapping of it shows nothing"


def test_what_the_instance_says_of_its_data_is_in_no_address() -> None:
    for name in DASHBOARDS:
        for variable in variables(name).values():
            facts = variable["name"] in {"data", "sources"}
            assert variable.get("skipUrlSync", False) is facts, variable["name"]
            assert not variable.get("hide") or facts


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
    for file in sorted((sql_folder() / "charts").iterdir(), key=lambda file: file.name):
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
    sql = "\n".join(file.read_text() for file in (sql_folder() / "schema").iterdir())
    for source, title in TITLES.items():
        assert f"'{source}', '{title}'" in sql


@pytest.mark.parametrize("name", [stem for stem in DASHBOARDS if stem != "pipeline"])
def test_licences_in_descriptions_come_from_one_hidden_variable(name: str) -> None:
    assert "${sources}" in json.dumps(DASHBOARDS[name]["panels"])
    hidden = [one for one in variables(name).values() if one.get("hide") == 2]
    assert [one["name"] for one in hidden] == ["sources"]
