"""The checked-in dashboards, and what is in them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "grafana"
DASHBOARDS: dict[str, dict[str, Any]] = {
    file.stem: json.loads(file.read_text())
    for file in sorted((FOLDER / "dashboards").glob("*.json"))
}


@dataclass(frozen=True)
class Place:
    """A panel of a dashboard."""

    dashboard: str
    panel: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.panel['title']}"


def panels() -> Iterator[Place]:
    """Every panel that is not a row's title."""
    for name, dashboard in DASHBOARDS.items():
        for panel in dashboard["panels"]:
            if panel["type"] != "row":
                yield Place(name, panel)


def variables(dashboard: str) -> dict[str, dict[str, Any]]:
    """A dashboard's variables by name."""
    return {one["name"]: one for one in DASHBOARDS[dashboard].get("templating", {}).get("list", [])}


def annotations(dashboard: str) -> list[dict[str, Any]]:
    """A dashboard's annotations."""
    found: list[dict[str, Any]] = DASHBOARDS[dashboard].get("annotations", {}).get("list", [])
    return found


def overrides(panel: dict[str, Any], matcher: str = "byName") -> dict[str, dict[str, Any]]:
    """Properties by what an override matches."""
    return {
        one["matcher"]["options"]: {item["id"]: item["value"] for item in one["properties"]}
        for one in panel["fieldConfig"].get("overrides", [])
        if one["matcher"]["id"] == matcher
    }
