"""Panels placed in rows on Grafana's grid, 24 columns wide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row
from grafana_foundation_sdk.models.dashboard import GridPos

COLUMNS = 24


@dataclass(frozen=True)
class Section:
    """A titled row of panels; each panel with its width, filled from left to right."""

    title: str
    panels: Sequence[tuple[Any, int]]
    height: int = 9


def place(dashboard: Dashboard, sections: Sequence[Section]) -> Dashboard:
    """Put sections below each other; ids count from 1 in reading order.

    Raises `ValueError` for a panel wider than the grid.
    """
    number, y = 1, 0
    for section in sections:
        dashboard.with_row(Row(section.title).id(number).grid_pos(GridPos(1, COLUMNS, 0, y)))
        number, y, x = number + 1, y + 1, 0
        for panel, width in section.panels:
            if width > COLUMNS:
                raise ValueError(f"{section.title}: a panel is {width} wide, the grid {COLUMNS}")
            if x + width > COLUMNS:
                x, y = 0, y + section.height
            dashboard.with_panel(panel.id(number).grid_pos(GridPos(section.height, width, x, y)))
            number, x = number + 1, x + width
        y += section.height
    return dashboard
