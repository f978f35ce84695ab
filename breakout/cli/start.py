"""How every command begins."""

from breakout.observability.logging import configure_logging
from breakout.settings import Settings, read_settings


def start() -> Settings:
    """Read the settings and send the log where they say. Raises `SettingsError`."""
    settings = read_settings()
    configure_logging(settings)
    return settings
