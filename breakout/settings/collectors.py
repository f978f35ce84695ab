"""Settings of the collectors: sources, their keys, files and schedules."""

from pydantic import Field, SecretStr

from breakout.settings.group import SettingsGroup
from breakout.settings.values import HttpUrl, LocalPath

_MAX_PERIOD_SECONDS = 366 * 86400


class CollectorSettings(SettingsGroup):
    """Where the sources are, and how often they are read."""

    hf_endpoint: HttpUrl = Field(
        "https://huggingface.co", alias="HF_ENDPOINT", description="URL of the Hugging Face Hub"
    )
    hf_token: SecretStr | None = Field(
        None,
        alias="HF_TOKEN",
        description="Token of the Hugging Face Hub; optional, raises its rate limit",
    )
    tracked_models_url: HttpUrl = Field(
        "https://raw.githubusercontent.com/Interconnects-AI/tracked-models/main",
        alias="TRACKED_MODELS_URL",
        description="Base URL of the public tracked-models list",
    )
    openrouter_base_url: HttpUrl = Field(
        "https://openrouter.ai/api/v1",
        alias="OPENROUTER_BASE_URL",
        description="Base URL of OpenRouter's API",
    )
    openrouter_api_key: SecretStr | None = Field(
        None,
        alias="OPENROUTER_API_KEY",
        description="OpenRouter API key; if not set, inference tokens are not collected",
    )
    arena_base_url: HttpUrl = Field(
        "https://datasets-server.huggingface.co",
        alias="ARENA_BASE_URL",
        description="Base URL of the dataset viewer API, which serves the Arena leaderboard",
    )
    artificial_analysis_base_url: HttpUrl = Field(
        "https://artificialanalysis.ai/api/v2",
        alias="ARTIFICIAL_ANALYSIS_BASE_URL",
        description="Base URL of Artificial Analysis's API",
    )
    artificial_analysis_api_key: SecretStr | None = Field(
        None,
        alias="ARTIFICIAL_ANALYSIS_API_KEY",
        description="Artificial Analysis API key; if not set, its index is not collected",
    )
    modelscope_endpoint: HttpUrl = Field(
        "https://modelscope.cn", alias="MODELSCOPE_ENDPOINT", description="URL of ModelScope"
    )
    names_file: LocalPath | None = Field(
        None,
        alias="BREAKOUT_NAMES_FILE",
        description="CSV file that classifies names of OpenRouter and the leaderboards; its rows "
        "override the built-in map",
    )
    overrides_file: LocalPath | None = Field(
        None,
        alias="BREAKOUT_OVERRIDES_FILE",
        description="CSV file of facts that override the tracked-models list; "
        "default: the built-in file",
    )
    scrape_seconds: int = Field(
        3600,
        alias="BREAKOUT_SCRAPE_SECONDS",
        description="Seconds between two scrapes of the download counters",
        ge=1,
        le=_MAX_PERIOD_SECONDS,
    )
    registry_seconds: int = Field(
        7 * 86400,
        alias="BREAKOUT_REGISTRY_SECONDS",
        description="Seconds between two reads of the tracked-models list",
        ge=1,
        le=_MAX_PERIOD_SECONDS,
    )
    derivatives_requests: int = Field(
        4000,
        alias="BREAKOUT_DERIVATIVES_REQUESTS",
        description="Maximum number of requests to the Hub in one survey of derivatives",
        ge=1,
    )
    withdraw_limit: float = Field(
        0.25,
        alias="BREAKOUT_WITHDRAW_LIMIT",
        description="Largest share of the tracked models, and of the reviewed facts about them, "
        "that one reading of the tracked-models list may withdraw; a shorter list is not used",
        ge=0,
        le=1,
    )
