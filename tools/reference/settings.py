"""docs/settings.md."""

from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from breakout.settings import Settings
from tools.reference.markdown import code, page, table

# Defaults that depend on the machine.
COMPUTED = {
    "BREAKOUT_DATA_DIR": "`breakout` in `$XDG_DATA_HOME`, which is `~/.local/share` unless set; "
    "on macOS `~/Library/Application Support/breakout`"
}
TYPES = {"int": "whole number", "float": "number", "Path": "path", "str": "text"}


def settings_page() -> str:
    """Return the page: one row a setting."""
    fields = Settings.model_fields.values()
    return page(
        "Settings",
        "Every setting is an environment variable; an empty one counts as not set. A value that "
        "cannot be used ends the program with the variable's name and what would be right. "
        "Secrets never reach a log or an error.",
        table(
            ("Variable", "Meaning", "Kind", "Default"),
            [
                (
                    code(field.alias or ""),
                    field.description or "",
                    _kind(field),
                    _default(field),
                )
                for field in fields
            ],
        ),
        "A user or password in `CLICKHOUSE_URL` overrules `BREAKOUT_CLICKHOUSE_USER` and "
        "`BREAKOUT_CLICKHOUSE_PASSWORD`.",
    )


def _kind(field: FieldInfo) -> str:
    kind = field.annotation
    if "SecretStr" in str(kind):
        return "secret"
    name = next((words for name, words in TYPES.items() if name in _names(kind)), str(kind))
    return ", ".join([name, *_bounds(field.metadata)])


def _names(kind: Any) -> set[str]:
    return {getattr(part, "__name__", "") for part in (kind, *getattr(kind, "__args__", ()))}


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
    if field.default is None or (
        isinstance(field.default, SecretStr) and not field.default.get_secret_value()
    ):
        return "not set"
    return code(str(field.default))
