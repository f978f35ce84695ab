"""Breakouts: which new releases are adopted faster than the best of their size."""

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue

from breakout.core import ages
from grafana.builder import variables
from grafana.builder.addresses import model_page
from grafana.builder.annotations import crossings
from grafana.builder.colours import ABOVE, BELOW, REGIONS, STATUSES
from grafana.builder.layout import Section, place
from grafana.builder.panels import Column, Head, by_age, lines, number, rows
from grafana.builder.provenance import DOWNLOADS, About
from grafana.builder.queries import chart, series, table

BASELINE = "${baseline:singlequote}"
CHOSEN = "arrayFilter(one -> one != '', CAST([${models:singlequote}], 'Array(String)'))"
LAST_MILESTONE = 90
MILESTONES = [age for age in ages.MILESTONES if age <= LAST_MILESTONE]
SHOWN = (
    f"SELECT DISTINCT model_id FROM\n(\n{chart('ram_curves', models=CHOSEN, baseline=BASELINE)}\n)"
)
"""The chosen models, or the latest confirmed breakouts."""

NOW = f"""
SELECT model_id FROM ram_now
WHERE baseline = {BASELINE} AND tracked AND age_days >= 7 AND age_days < 91 AND ram >= 1
"""
"""Tracked models 7 to 90 days old whose rolling RAM is at least 1.0x."""
BURST = "ram >= 1 AND ifNull(ram_capped < 1, true)"
"""Above 1.0x only because of its greatest days, so far."""


def fill(dashboard: Dashboard) -> Dashboard:
    """Add this dashboard's variables, annotations and panels."""
    dashboard.with_variable(variables.baseline()).with_variable(variables.models())
    for marks in crossings(BASELINE, SHOWN):
        dashboard.annotation(marks)
    return place(
        dashboard,
        [
            Section(
                "New releases above 1.0x",
                [
                    (_how_many(), 6),
                    (_best(), 6),
                    (_crossed(), 6),
                    (_latest(), 6),
                ],
                height=4,
            ),
            Section("Which they are", [(_now(), 24)], height=13),
            Section("How they got there", [(_curves(), 12), (_over_time(), 12)], height=11),
            Section("All crossings", [(_history(), 24)], height=10),
        ],
    )


def _how_many() -> object:
    return number(
        Head(
            "New releases above 1.0x now",
            About(
                "Tracked models 7 to 90 days old whose rolling Relative Adoption Metric is at least 1.0: "
                "downloaded as much as the median of the top 10 of their size at the same age. Without bursts: it is at "
                "least 1.0 also with no day above 10 times the median day.",
                DOWNLOADS,
            ),
            unit="none",
        ),
        table(f"SELECT count() AS releases FROM ({NOW.strip()} AND NOT ({BURST}))"),
        steps=[(None, BELOW), (1, ABOVE)],
    )


def _best() -> object:
    return number(
        Head(
            "Highest RAM of a new release",
            About("Of the tracked models 7 to 90 days old, without bursts.", DOWNLOADS),
            unit="suffix:x",
        ),
        table(
            f"SELECT max(ram) AS highest FROM ram_now\n"
            f"WHERE baseline = {BASELINE} AND tracked AND age_days >= 7 AND age_days < 91 AND NOT ({BURST})"
        ),
        steps=[(None, BELOW), (1, ABOVE)],
    )


def _crossed() -> object:
    return number(
        Head(
            "Breakouts in the time shown",
            About(
                "First times that a model 7 to 90 days old passed 1.0x, without bursts: those that are confirmed.",
                DOWNLOADS,
            ),
            unit="none",
        ),
        table(
            "SELECT count() AS crossings FROM breakouts\n"
            f"WHERE baseline = {BASELINE} AND status = 'confirmed' AND $__timeFilter(crossed_at)"
        ),
    )


def _latest() -> object:
    return number(
        Head(
            "Latest observation of downloads",
            About("When the Hub's counters were read last; UTC.", ("huggingface",)),
            unit="dateTimeFromNow",
        ),
        table("SELECT as_of FROM sources WHERE source = 'huggingface'"),
    )


def _now() -> object:
    found = f"""
WITH crossed AS
(
    SELECT model_id, toNullable(crossed_at) AS at FROM breakouts WHERE baseline = {BASELINE}
),
passed AS
(
    SELECT model_id, {", ".join(f"anyIf(ram, age_days = {age}) AS ram_{age}d" for age in MILESTONES)}
    FROM ram_milestones WHERE baseline = {BASELINE}
    GROUP BY model_id
)
SELECT
    n.model_id AS model_id, n.ram AS ram, n.ram_capped AS ram_capped, if({BURST}, 'burst', 'confirmed') AS status,
    floor(n.age_days) AS age,
    {", ".join(f"p.ram_{age}d AS ram_{age}d" for age in MILESTONES)}, toNullable(n.cumulative) AS downloads,
    c.at AS crossed_at, toString(n.size_bin) AS size_bin, ifNull(toString(n.region), 'unreviewed') AS region
FROM ram_now AS n
LEFT JOIN passed AS p ON p.model_id = n.model_id
LEFT JOIN crossed AS c ON c.model_id = n.model_id
WHERE n.baseline = {BASELINE} AND n.model_id IN ({NOW.strip()})
ORDER BY ram DESC, model_id
"""
    sparkline = f"""
SELECT as_of AS time, model_id, ram AS Value
FROM ram
WHERE baseline = {BASELINE} AND model_id IN ({NOW.strip()})
ORDER BY time, model_id
"""
    sparkline_cell = {"type": "sparkline", "hideValue": True, "lineWidth": 2}
    columns = [
        Column("model_id", "Model", min_width=190, model_link=True),
        Column("ram", "RAM now", "suffix:x", 2, 102),
        Column("ram_capped", "Capped", "suffix:x", 2, 76),
        Column("status", "Status", width=92, colours=STATUSES),
        Column(
            "Trend #B",
            "Trend",
            "suffix:x",
            2,
            90,
            more=[DynamicConfigValue("custom.cellOptions", sparkline_cell)],
        ),
        Column("age", "Age", "suffix:d", 0, 54),
        *(Column(f"ram_{age}d", f"{age} d", "suffix:x", 2, 60) for age in MILESTONES),
        Column("downloads", "Downloads", "short", width=96),
        Column("crossed_at", "Passed 1.0x", "time:YYYY-MM-DD", width=104),
        Column("size_bin", "Size", width=74),
        Column("region", "Region", width=80, colours=REGIONS),
    ]
    return rows(
        Head(
            "New releases above 1.0x, by RAM now",
            About(
                "With their RAM at each milestone passed, and since release. Capped: no day counts with more than 10 times the median day; a burst is "
                "above 1.0 only without that cap. Relative Adoption Metric: cumulative downloads divided by those of the chosen baseline for the "
                "same size and age. A milestone is empty where the model is younger, or was not observed then. "
                "A model's name leads to everything about it.",
                DOWNLOADS,
            ),
            unit="string",
            no_data="No releases above 1.0x to show",
        ),
        table(found),
        series(sparkline, "B"),
        columns=columns,
        sort="RAM now",
        transformations=[
            DataTransformerConfig(id_val="timeSeriesTable", options={"B": {"stat": "lastNotNull"}}),
            DataTransformerConfig(
                id_val="joinByField", options={"byField": "model_id", "mode": "outer"}
            ),
            DataTransformerConfig(
                id_val="organize",
                options={"indexByName": _order([column.name for column in columns])},
            ),
        ],
    )


def _order(names: list[str]) -> dict[str, int]:
    """Return the places of a joined table's columns; Grafana adds the query's letter to their names."""
    places = {name: n for n, name in enumerate(names)}
    return places | {f"{name} A": n for name, n in places.items() if not name.startswith("Trend #")}


def _curves() -> object:
    sql = chart("ram_curves", models=CHOSEN, baseline=BASELINE)
    return by_age(
        Head(
            "RAM of the chosen models by age",
            About(
                "Cumulative downloads at each whole-day age, divided by the baseline of the model's size at that "
                "age; the dashed line is the baseline. Empty where fewer than 10 peers were observed.",
                DOWNLOADS,
            ),
            unit="suffix:x",
            no_data="No RAM of the chosen models to show",
        ),
        f"SELECT age_days, model_id AS label, ram AS value FROM\n(\n{sql}\n)\nORDER BY age_days, label",
        threshold=1.0,
        link=model_page("${__field.name}"),
    )


def _over_time() -> object:
    sql = f"""
SELECT r.as_of AS time, r.model_id AS label, r.ram AS Value
FROM ram AS r
WHERE baseline = {BASELINE} AND $__timeFilter(time) AND r.model_id IN
(
{SHOWN}
)
ORDER BY time, label
"""
    return lines(
        Head(
            "RAM of the chosen models by day",
            About(
                "The same RAM by date; vertical lines are their first crossings of 1.0x, and the ends of these.",
                DOWNLOADS,
            ),
            unit="suffix:x",
            no_data="No RAM of the chosen models to show",
        ),
        series(sql),
        threshold=1.0,
        link=model_page("${__field.labels.label}"),
    )


def _history() -> object:
    sql = f"""
SELECT
    b.crossed_at AS crossed_at, b.model_id AS model_id, toString(b.status) AS status, b.ram AS ram,
    b.ram_capped AS ram_capped, b.top_day_share AS top_day_share, b.age_days AS age, b.confirmed_at AS confirmed_at,
    b.ended_at AS ended_at,
    ifNull(toString(m.size_bin), 'unknown') AS size_bin, ifNull(toString(m.region), 'unreviewed') AS region,
    toString(m.org) AS org
FROM breakouts AS b
INNER JOIN models AS m ON m.model_id = b.model_id
WHERE b.baseline = {BASELINE} AND $__timeFilter(b.crossed_at)
ORDER BY crossed_at DESC, model_id
LIMIT 500
"""
    return rows(
        Head(
            "First crossings of 1.0x, latest first",
            About(
                "Days are UTC. A crossing is the first whole-day age between 7 and 90 days at which a model's RAM reached 1.0; it ended "
                "when RAM fell below 0.9. It is confirmed once RAM is 1.0 also with no day above 10 times the median day "
                "(capped), and else a burst; top day: the share of the greatest day in its downloads. At most 500 of the "
                "time shown.",
                DOWNLOADS,
            ),
            unit="string",
            no_data="No crossings to show",
        ),
        table(sql),
        columns=[
            Column("crossed_at", "Passed 1.0x", "time:YYYY-MM-DD", width=124),
            Column("model_id", "Model", min_width=200, model_link=True),
            Column("status", "Status", width=92, colours=STATUSES),
            Column("ram", "RAM then", "suffix:x", 2, 88),
            Column("ram_capped", "Capped", "suffix:x", 2, 76),
            Column("top_day_share", "Top day", "percentunit", 0, 80),
            Column("age", "Age then", "suffix:d", 0, 86),
            Column("confirmed_at", "Confirmed", "time:YYYY-MM-DD", width=104),
            Column("ended_at", "Below 0.9x", "time:YYYY-MM-DD", width=104),
            Column("size_bin", "Size", width=80),
            Column("region", "Region", width=90, colours=REGIONS),
            Column("org", "Organisation", min_width=134),
        ],
        sort="Passed 1.0x",
    )
