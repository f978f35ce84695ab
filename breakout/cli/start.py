"""The start of every command."""

from breakout.observability.logging import configure_logging
from breakout.settings import Settings, read_settings


def start() -> Settings:
    """Read the settings and configure the log. Raises `SettingsError`."""
    settings = read_settings()
    configure_logging(settings)
    return settings
