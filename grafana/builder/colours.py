"""Colours that mean the same thing everywhere, readable on a dark and on a light theme.

Regions and the large organisations have fixed colours; every other name has the colour that
Grafana derives from the name, so it is the same in all panels too.
"""

from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

REGIONS = {
    "us": "#3274D9",
    "china": "#E02F44",
    "eu": "#E0B400",
    "other": "#8F3BB8",
    "unknown": "#808080",
    "unreviewed": "#A0A0A0",
}

ORGANISATIONS = {
    "Qwen": "#E02F44",
    "deepseek-ai": "#FF7383",
    "moonshotai": "#C4162A",
    "zai-org": "#FF9830",
    "MiniMaxAI": "#FA6400",
    "tencent": "#B877D9",
    "baidu": "#8F3BB8",
    "stepfun-ai": "#A352CC",
    "meta-llama": "#3274D9",
    "google": "#5794F2",
    "openai": "#19730E",
    "microsoft": "#1F60C4",
    "nvidia": "#56A64B",
    "allenai": "#37872D",
    "ibm-granite": "#8AB8FF",
    "mistralai": "#E0B400",
    "HuggingFaceTB": "#F2CC0C",
}

BASELINE = "#808080"
ABOVE, BELOW = "#37872D", "#808080"
GOOD, WARNING, BAD = "#37872D", "#E0B400", "#C4162A"
RELATIONS = {
    "finetune": "#3274D9",
    "adapter": "#E0B400",
    "merge": "#8F3BB8",
    "quantized": "#37872D",
    "unknown": "#808080",
}


def fixed(colour: str) -> DynamicConfigValue:
    """Return the property of an override that gives a field this colour."""
    return DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour})


def mappings(colours: dict[str, str]) -> list[dict[str, object]]:
    """Return value mappings that colour a table's cells by their text."""
    options = {
        name: {"color": colour, "index": n} for n, (name, colour) in enumerate(colours.items())
    }
    return [{"type": "value", "options": options}]
