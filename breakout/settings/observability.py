"""Settings of metrics and logs."""

from typing import Literal

from pydantic import Field

from breakout.settings.group import SettingsGroup
from breakout.settings.values import Host


class ObservabilitySettings(SettingsGroup):
    """Where metrics are served, and how logs are written."""

    metrics_host: Host = Field(
        "127.0.0.1",
        alias="BREAKOUT_METRICS_HOST",
        description="Host name or address on which Prometheus metrics are served",
    )
    metrics_port: int = Field(
        0,
        alias="BREAKOUT_METRICS_PORT",
        description="Port of the Prometheus metrics; 0 = any free port, which is logged",
        ge=0,
        le=65535,
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto",
        alias="BREAKOUT_LOG_FORMAT",
        description="Format of logs; auto = console on a terminal, json otherwise",
    )
