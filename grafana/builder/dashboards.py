"""The four dashboards, from general to particular."""

import json
from collections.abc import Callable

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync

from grafana.builder import breakouts, ecosystem, model, pipeline, variables
from grafana.builder.addresses import TITLES, Uid
from grafana.builder.panels import link_between
from grafana.builder.provenance import sources

FILLED: dict[Uid, tuple[Callable[[Dashboard], Dashboard], str, str]] = {
    Uid.BREAKOUTS: (breakouts.fill, "now-90d", "New releases that pass 1.0x, and how"),
    Uid.ECOSYSTEM: (ecosystem.fill, "now-2y", "Adoption of all tracked models"),
    Uid.MODEL: (model.fill, "now-90d", "Everything about one model"),
    Uid.PIPELINE: (
        pipeline.fill,
        "now-24h",
        "Whether the numbers are fresh, and what is wrong if not",
    ),
}
"""By uid: what fills it, the time shown at first, and what it is for."""

FACTS = {"data", "sources"}
"""Variables that nobody chooses."""
SCHEMA_VERSION = 41
"""Of the classic dashboard format, as Grafana 12 writes it; 13 reads it."""


def build() -> dict[str, str]:
    """Return every dashboard's file: JSON by file name."""
    return {f"{uid.removeprefix('breakout-')}.json": _text(uid) for uid in Uid}


def _text(uid: Uid) -> str:
    fill, since, meaning = FILLED[uid]
    dashboard = (
        Dashboard(TITLES[uid])
        .uid(uid)
        .description(meaning)
        .tags(["breakout"])
        .timezone("utc")
        .time(since, "now")
        .refresh("5m" if uid != Uid.PIPELINE else "30s")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .links([link_between(other, TITLES[other]) for other in Uid if other != uid])
        .readonly()
    )
    dashboard.with_variable(variables.data())
    fill(dashboard)
    if uid != Uid.PIPELINE:
        dashboard.with_variable(sources())
    built = json.loads(json.dumps(dashboard.build(), cls=JSONEncoder))
    built["schemaVersion"] = SCHEMA_VERSION
    for variable in built["templating"]["list"]:
        # What the instance says of its data: an address that is shared must not say it instead.
        if variable["name"] in FACTS:
            variable["skipUrlSync"] = True
    return json.dumps(built, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
