"""Uids of data sources and dashboards, and the links between the levels."""

from enum import StrEnum

CLICKHOUSE = "breakout-clickhouse"
PROMETHEUS = "breakout-prometheus"


class Uid(StrEnum):
    """Uids of the dashboards, from general to particular; their addresses are `/d/UID`."""

    BREAKOUTS = "breakout-breakouts"
    ECOSYSTEM = "breakout-ecosystem"
    MODEL = "breakout-model"
    PIPELINE = "breakout-pipeline"


TITLES = {
    Uid.BREAKOUTS: "Breakouts",
    Uid.ECOSYSTEM: "Ecosystem",
    Uid.MODEL: "Model",
    Uid.PIPELINE: "Pipeline",
}


def model_page(model: str) -> str:
    """Return the address of a model's page; `model` is an expression that Grafana expands."""
    return f"/d/{Uid.MODEL}?var-model={model}"
