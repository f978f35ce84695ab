"""Colours by Grafana's names, which have one shade on a dark theme and another on a light one.

Regions and what is above or below a limit have the same colour everywhere. Organisations have that
of their rank in a panel: ten can be told apart, whatever they are called, where colours derived
from names would be alike.
"""

from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

REGIONS = {
    "us": "blue",
    "china": "red",
    "eu": "semi-dark-green",
    "other": "purple",
    "unknown": "#808080",
    "unreviewed": "text",
}
"""All but `unknown` have a contrast of at least 4.5:1 on both themes."""

RANKS = (
    "dark-blue",
    "dark-orange",
    "dark-green",
    "red",
    "semi-dark-purple",
    "light-blue",
    "dark-yellow",
    "green",
    "light-purple",
    "super-light-red",
)
"""By rank, the first first; no two are close on either theme."""
OTHERS = "others"
"""Organisations after the last rank, together."""

BASELINE = "#808080"
ABOVE, BELOW = "semi-dark-green", "#808080"
FELL = "orange"
BURST = "purple"
"""Above the limit only for some days."""
GOOD, WARNING, BAD = "semi-dark-green", "orange", "red"
LINE = "blue"
STATUSES = {"confirmed": ABOVE, "burst": BURST}
STATES = {"held": WARNING, "rollback": BAD, "correction": BAD}
"""States of an observation that are out of the ordinary."""
RELATIONS = {
    "finetune": "blue",
    "adapter": "dark-orange",
    "merge": "purple",
    "quantized": "semi-dark-green",
    "unknown": "#808080",
}


def by_rank() -> dict[str, str]:
    """Return the colours of series that `chart_series` ranked, by regular expression or name."""
    return {f"/^ ?{n}\\. /": colour for n, colour in enumerate(RANKS, 1)} | {OTHERS: "#808080"}


def fixed(colour: str) -> DynamicConfigValue:
    """Return the property of an override that gives a field this colour."""
    return DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour})


def mappings(colours: dict[str, str]) -> list[dict[str, object]]:
    """Return value mappings that colour a table's cells by their text."""
    options = {
        name: {"color": colour, "index": n} for n, (name, colour) in enumerate(colours.items())
    }
    return [{"type": "value", "options": options}]
