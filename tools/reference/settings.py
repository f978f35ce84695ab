"""docs/settings.md."""

from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from breakout.settings.api import ApiSettings
from breakout.settings.clickhouse import ClickHouseSettings
from breakout.settings.collectors import CollectorSettings
from breakout.settings.group import SettingsGroup
from breakout.settings.kafka import KafkaSettings
from breakout.settings.observability import ObservabilitySettings
from breakout.settings.workers import WorkerSettings
from tools.reference.markdown import code, page, table

# Defaults that depend on the machine.
COMPUTED = {
    "BREAKOUT_DATA_DIR": "`breakout` in `$XDG_DATA_HOME`, which is `~/.local/share` unless set; "
    "on macOS `~/Library/Application Support/breakout`"
}
SECTIONS: dict[str, type[SettingsGroup]] = {
    "Kafka": KafkaSettings,
    "ClickHouse and embedded servers": ClickHouseSettings,
    "Collectors": CollectorSettings,
    "Workers": WorkerSettings,
    "API and web page": ApiSettings,
    "Metrics and logs": ObservabilitySettings,
}
TYPES = {"int": "whole number", "float": "number", "Path": "path", "str": "text"}


def settings_page() -> str:
    """Return the page: a section for each group, one row a setting."""
    return page(
        "Settings",
        "Every setting is an environment variable; an empty one counts as not set. An invalid "
        "value ends the program with an error that names the variable and what a valid value is. "
        "Secrets never appear in logs or errors.",
        *(block for title, group in SECTIONS.items() for block in (f"## {title}", _section(group))),
        "A user or password in `CLICKHOUSE_URL` takes precedence over `BREAKOUT_CLICKHOUSE_USER` "
        "and `BREAKOUT_CLICKHOUSE_PASSWORD`.",
    )


def _section(group: type[SettingsGroup]) -> str:
    return table(
        ("Variable", "Meaning", "Kind", "Default"),
        [
            (code(field.alias or ""), field.description or "", _kind(field), _default(field))
            for field in group.model_fields.values()
        ],
    )


def _kind(field: FieldInfo) -> str:
    kind = field.annotation
    if "SecretStr" in str(kind):
        return "secret"
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(code, get_args(kind)))}"
    name = next((words for name, words in TYPES.items() if name in _names(kind)), str(kind))
    return ", ".join([name, *_bounds(field.metadata)])


def _names(kind: Any) -> set[str]:
    return {getattr(kind, "__name__", "")}.union(*map(_names, get_args(kind)))


def _bounds(metadata: list[Any]) -> list[str]:
    words = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}", "pattern": "`{}`"}
    return [
        text.format(getattr(bound, name))
        for bound in metadata
        for name, text in words.items()
        if getattr(bound, name, None) is not None
    ]


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return COMPUTED[field.alias or ""]
    if field.default in (None, "") or (
        isinstance(field.default, SecretStr) and not field.default.get_secret_value()
    ):
        return "not set"
    return code(str(field.default))
