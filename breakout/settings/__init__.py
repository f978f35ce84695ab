"""Every setting, from environment variables only.

Secrets are `SecretStr`: logs, errors and reprs show them as stars. `read_settings` reports an
invalid value by the name of its variable, with what a valid one looks like.
"""

from typing import Any

from pydantic import ValidationError

from breakout.settings.api import ApiSettings
from breakout.settings.clickhouse import ClickHouseSettings
from breakout.settings.collectors import CollectorSettings
from breakout.settings.kafka import KafkaSettings
from breakout.settings.observability import ObservabilitySettings
from breakout.settings.workers import WorkerSettings
from breakout.settings_error import SettingsError as SettingsError


class Settings(
    ObservabilitySettings,
    ApiSettings,
    WorkerSettings,
    CollectorSettings,
    ClickHouseSettings,
    KafkaSettings,
):
    """All settings of the program."""


def read_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment; `overrides` are by field name.

    Raises `SettingsError` that names each invalid variable and what a valid value looks like. The
    value itself is not repeated: it may hold a password.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        problems = []
        for problem in error.errors(include_url=False, include_input=False):
            name = str(problem["loc"][0]) if problem["loc"] else "settings"
            field = Settings.model_fields.get(name)
            variable = (field.alias if field else None) or name
            message = problem["msg"].removeprefix("Value error, ")
            message = message.replace("Input should be", "must be", 1)
            problems.append(f"{variable}: {message}")
        raise SettingsError("; ".join(problems)) from None
