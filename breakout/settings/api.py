"""Settings of the HTTP API and the web page."""

from pydantic import Field

from breakout.settings.group import SettingsGroup
from breakout.settings.values import Host, HttpUrl, LocalPath, Networks, Origins


class ApiSettings(SettingsGroup):
    """Where the API listens, and its limits."""

    api_host: Host = Field(
        "127.0.0.1",
        alias="BREAKOUT_API_HOST",
        description="Host name or address on which the API listens",
    )
    api_port: int = Field(
        8000,
        alias="BREAKOUT_API_PORT",
        description="Port of the API; 0 = any free port, which is logged",
        ge=0,
        le=65535,
    )
    api_public_url: HttpUrl | None = Field(
        None,
        alias="BREAKOUT_API_PUBLIC_URL",
        description="URL at which others reach the API, for citations; none = they name the path",
    )
    api_concurrent_queries: int = Field(
        8,
        alias="BREAKOUT_API_CONCURRENT_QUERIES",
        description="Maximum number of queries the API runs concurrently; others are queued",
        ge=1,
    )
    api_wait_seconds: float = Field(
        5.0,
        alias="BREAKOUT_API_WAIT_SECONDS",
        description="Maximum seconds a request is queued; then its status is 503",
        gt=0,
    )
    api_query_seconds: int = Field(
        30,
        alias="BREAKOUT_API_QUERY_SECONDS",
        description="Maximum seconds of one query; the read-only user's own limit is 60",
        ge=1,
        le=60,
    )
    api_fresh_seconds: float = Field(
        5.0,
        alias="BREAKOUT_API_FRESH_SECONDS",
        description="Seconds for which a cached response is served before the API checks whether "
        "the data have changed; 0 = check for every request",
        ge=0,
        le=3600,
    )
    api_cors_origins: Origins = Field(
        "*",
        alias="BREAKOUT_API_CORS_ORIGINS",
        description="Web origins whose pages may read the API, separated by commas; * = any",
    )
    api_requests_per_minute: int = Field(
        300,
        alias="BREAKOUT_API_REQUESTS_PER_MINUTE",
        description="Maximum number of requests per minute and client address",
        ge=1,
    )
    api_key_requests_per_minute: int = Field(
        3000,
        alias="BREAKOUT_API_KEY_REQUESTS_PER_MINUTE",
        description="Maximum number of requests per minute and API key; the keys file may set "
        "another limit for a key",
        ge=1,
    )
    api_keys_file: LocalPath | None = Field(
        None,
        alias="BREAKOUT_API_KEYS_FILE",
        description="File of API keys, names and hashes, as printed by `breakout api key`",
    )
    api_query_seconds_per_minute: int = Field(
        120,
        alias="BREAKOUT_API_QUERY_SECONDS_PER_MINUTE",
        description="Maximum query time per minute and client address, in seconds; that of an API "
        "key is larger by the ratio of its requests per minute",
        ge=1,
    )
    api_spool_mebibytes: int = Field(
        2048,
        alias="BREAKOUT_API_SPOOL_MEBIBYTES",
        description="Maximum MiB of responses spooled to temporary files; one client may use half, "
        "one response a quarter",
        ge=4,
    )
    api_stall_seconds: float = Field(
        20.0,
        alias="BREAKOUT_API_STALL_SECONDS",
        description="Seconds without progress after which a response that is not read is aborted",
        gt=0,
    )
    api_answer_seconds: float = Field(
        600.0,
        alias="BREAKOUT_API_ANSWER_SECONDS",
        description="Maximum seconds a client may take to read a response; event streams are "
        "exempt",
        gt=0,
    )
    api_trusted_proxies: Networks = Field(
        "",
        alias="BREAKOUT_API_TRUSTED_PROXIES",
        description="Addresses or networks of proxies, separated by commas, whose X-Forwarded-For "
        "header identifies the client; empty = none",
    )
