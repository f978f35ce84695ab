"""Grafana's provisioning files with variables expanded where Grafana expands them.

Read in the source of Grafana 9.1.7 to 13 (pkg/services/provisioning):

- Most fields are values.StringValue and its like: `$NAME` and `${NAME}` are expanded, `$$` is a
  dollar sign. So are the settings of contact points and of data sources, nested ones too.
- `annotations` of rules: the raw text (alerting/rules_types.go; 13 expands `${NAME}` with its
  braces, and nothing else).
- `model` of a rule's query: the raw text, since macros such as `$__timeFilter` would be lost.
- `template` of message templates: a plain string (alerting/text_templates_types.go).
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

PROVISIONING = Path(__file__).resolve().parents[2] / "grafana" / "provisioning"
AS_THEY_STAND = {"annotations", "model", "template"}
_NAME = re.compile(r"\$\{?([A-Za-z_]\w*)\}?")


def read(file: Path, environment: Mapping[str, str]) -> Any:
    """Return a file's values. Raises `KeyError` for a variable that the environment lacks."""
    return _expand(yaml.safe_load(file.read_text()), environment)


def _expand(value: Any, environment: Mapping[str, str]) -> Any:
    match value:
        case str():
            # As Grafana does: parts between double dollars are expanded, and joined by one.
            parts = [_NAME.sub(lambda found: environment[found[1]], p) for p in value.split("$$")]
            return "$".join(parts)
        case list():
            return [_expand(one, environment) for one in value]
        case dict():
            return {
                name: one if name in AS_THEY_STAND else _expand(one, environment)
                for name, one in value.items()
            }
    return value


def rules() -> list[dict[str, Any]]:
    """Every alert rule, with the name, folder and interval of its group."""
    return [
        {**rule, "group": {name: group[name] for name in ("name", "folder", "interval", "orgId")}}
        for group in read(PROVISIONING / "alerting" / "rules.yaml", {})["groups"]
        for rule in group["rules"]
    ]


def queries(rule: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A rule's queries and expressions by refId."""
    return {one["refId"]: one for one in rule["data"]}


def message_templates() -> str:
    """The text of the message templates."""
    (group,) = read(PROVISIONING / "alerting" / "templates.yaml", {})["templates"]
    text: str = group["template"]
    return text
