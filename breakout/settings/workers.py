"""Settings of the stream workers."""

from pydantic import Field

from breakout.settings.group import SettingsGroup


class WorkerSettings(SettingsGroup):
    """How workers batch records, and what counts as a breakout."""

    batch_rows: int = Field(
        250_000,
        alias="BREAKOUT_BATCH_ROWS",
        description="Maximum number of observations in one batch of inserts",
        ge=1,
    )
    batch_seconds: float = Field(
        0.5,
        alias="BREAKOUT_BATCH_SECONDS",
        description="Maximum seconds a worker waits for more records before it inserts a batch",
        gt=0,
        le=3600,
    )
    dead_letter_limit: int = Field(
        20,
        alias="BREAKOUT_DEAD_LETTER_LIMIT",
        description="Maximum number of unreadable records among any 100 consecutive records of a "
        "partition; one more stops the worker, which may itself be at fault; 100 = no limit",
        ge=0,
        le=100,
    )
    breakout_min_age_days: int = Field(
        7,
        alias="BREAKOUT_MIN_AGE_DAYS",
        description="Minimum age of a model at its breakout, in days",
        ge=1,
        le=365,
    )
    breakout_max_age_days: int = Field(
        90,
        alias="BREAKOUT_MAX_AGE_DAYS",
        description="Maximum age of a model at its breakout, in days",
        ge=1,
        le=365,
    )
