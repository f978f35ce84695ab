"""Every setting, from the environment only.

Secrets are `SecretStr`: they show as stars in logs, errors and reprs. A wrong value is
reported by the name of its variable with what would be right, see `read_settings`.
"""

import os
import re
import ssl
import sys
from ipaddress import IPv6Address, ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

import httpx
from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from breakout.clickhouse.local_login import local_password
from breakout.http.addresses import host_port
from breakout.settings_error import SettingsError as SettingsError  # noqa: PLC0414 - raised here

# It becomes part of statements that take no parameters, such as CREATE DATABASE.
_DATABASE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")

_PORT = re.compile("[0-9]{1,5}")
_HOST = re.compile(r"[^\s/@:\[\]]+")
_BARE_IPV6 = re.compile(
    r"^[a-z]+://(?:[^/@]*@)?[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*(?:/|$)", re.IGNORECASE
)
_ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^\s/]+", re.IGNORECASE)
_LAST_PORT = 65535
_LONGEST_SECONDS = 366 * 86400


def _http_address(address: str) -> str:
    if _BARE_IPV6.search(address):
        raise ValueError("an IPv6 address goes into brackets, as http://[::1]:8123")
    try:
        parts = urlsplit(address)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        # Its text would repeat a part of the address, and that may be a part of the password.
        raise ValueError(
            "its port is no number, or a password in it has one of / ? # : @ [ ] in it: "
            "write %2F for /, and so on"
        ) from None
    if not known:
        raise ValueError("must be an http:// or https:// address")
    if parts.query or parts.fragment:
        raise ValueError("must be an address without ?query and #fragment")
    try:
        _ = httpx.URL(address).host
    except (httpx.InvalidURL, UnicodeError):
        raise ValueError("must be an http:// or https:// address of printable characters") from None
    return address.rstrip("/")


def _bootstrap_servers(servers: str) -> str:
    """Check a list of host:port, since each part of ours reads anything else in its own way."""
    for server in servers.split(","):
        host, _, port = server.strip().rpartition(":")
        if not _PORT.fullmatch(port) or not 0 < int(port) <= _LAST_PORT:
            raise ValueError("must be host:port, or several of them separated by commas")
        if _is_ipv6(host):
            raise ValueError(f"an IPv6 address goes into brackets, as [{host}]:{port}")
        bracketed = host.startswith("[") and host.endswith("]") and _is_ipv6(host[1:-1])
        if not bracketed and not _HOST.fullmatch(host):
            raise ValueError("must be host:port, or several of them separated by commas")
    return ",".join(server.strip() for server in servers.split(","))


def _is_ipv6(host: str) -> bool:
    try:
        IPv6Address(host)
    except ValueError:
        return False
    return True


def _host(host: str) -> str:
    """Return a host to listen on; brackets around an IPv6 address are not part of it."""
    bare = host.strip().removeprefix("[").removesuffix("]")
    if not _is_ipv6(bare) and not _HOST.fullmatch(bare):
        raise ValueError("must be a host or an address, without a port, such as 127.0.0.1 or ::1")
    return bare


def _origins(origins: str) -> str:
    for origin in origins.split(","):
        if not _ORIGIN.fullmatch(origin.strip()):
            raise ValueError(
                "must be * or origins such as https://lab.example, without a path, separated by "
                "commas"
            )
    return origins


def _path(path: Path | None) -> Path | None:
    """Return a path whose ~ is the home folder, which only a shell would have put there."""
    if path is None:
        return None
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError("there is no home folder for its ~: write the path out") from None


def _data_dir(path: Path) -> Path:
    return _path(path) or path


def _networks(text: str) -> str:
    for part in filter(None, map(str.strip, text.split(","))):
        try:
            ip_network(part)
        except ValueError as error:
            raise ValueError(
                f"{part!r} is no address or network ({error}): write 10.0.0.7, 10.0.0.0/8 or "
                "2001:db8::/32, several of them separated by commas"
            ) from None
    return text


def _clickhouse_address(address: str) -> str:
    address = _http_address(address)
    parts = urlsplit(address)
    database = parts.path.strip("/")
    if not database or parts.query or parts.fragment:
        raise ValueError("must end with the database, as http://127.0.0.1:8123/breakout")
    if not _DATABASE.fullmatch(database):
        raise ValueError("the database's name may have letters, digits, _ and - only")
    return address


def _authorities(file: Path | None) -> Path | None:
    if file is None:
        return None
    try:
        ssl.create_default_context(cafile=file)
    except OSError as error:  # ssl.SSLError is one
        raise ValueError(
            f"{file} cannot be used ({error.strerror or error}): name a file of certificates in PEM"
        ) from None
    return file


HttpAddress = Annotated[str, AfterValidator(_http_address)]
OptionalFile = Annotated[Path | None, AfterValidator(_path)]
AuthoritiesFile = Annotated[Path | None, AfterValidator(_path), AfterValidator(_authorities)]
Host = Annotated[str, AfterValidator(_host)]


def default_data_dir() -> Path:
    """Return where the embedded servers keep their data unless told otherwise."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "breakout"
    base = Path(os.environ.get("XDG_DATA_HOME", ""))
    # Its specification has whatever is not absolute ignored.
    return (base if base.is_absolute() else Path.home() / ".local" / "share") / "breakout"


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Settings(BaseSettings):
    """The program's settings; each field's alias is its environment variable."""

    model_config = SettingsConfigDict(
        extra="ignore", frozen=True, populate_by_name=True, env_ignore_empty=True
    )

    kafka_bootstrap_servers: Annotated[str, AfterValidator(_bootstrap_servers)] = Field(
        "127.0.0.1:9092", alias="KAFKA_BOOTSTRAP_SERVERS", description="Kafka, host:port"
    )
    kafka_security_protocol: str = Field(
        "PLAINTEXT",
        alias="KAFKA_SECURITY_PROTOCOL",
        description="Whether Kafka is spoken to encrypted (SSL) and with a login (SASL)",
        pattern=r"^(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)$",
    )
    kafka_ssl_ca_file: AuthoritiesFile = Field(
        None,
        alias="KAFKA_SSL_CA_FILE",
        description="Certificates (PEM) that the brokers' are verified by; else the system's",
    )
    kafka_sasl_mechanism: str = Field(
        "SCRAM-SHA-512",
        alias="KAFKA_SASL_MECHANISM",
        description="How the login is proven",
        pattern=r"^(PLAIN|SCRAM-SHA-256|SCRAM-SHA-512)$",
    )
    kafka_sasl_username: str | None = Field(
        None, alias="KAFKA_SASL_USERNAME", description="Kafka login, with SASL"
    )
    kafka_sasl_password: SecretStr = Field(
        SecretStr(""), alias="KAFKA_SASL_PASSWORD", description="That login's password"
    )
    clickhouse_url: Annotated[str, AfterValidator(_clickhouse_address)] = Field(
        "http://127.0.0.1:8123/breakout",
        alias="CLICKHOUSE_URL",
        description="ClickHouse's HTTP address with the database; user and password may be in it",
    )
    clickhouse_user: str = Field(
        "default", alias="BREAKOUT_CLICKHOUSE_USER", description="Who migrates and writes"
    )
    clickhouse_ca_file: AuthoritiesFile = Field(
        None,
        alias="BREAKOUT_CLICKHOUSE_CA_FILE",
        description="Certificates (PEM) that ClickHouse's is verified by, where its address is "
        "https://; else the system's",
    )
    clickhouse_password: SecretStr = Field(
        SecretStr(""),
        alias="BREAKOUT_CLICKHOUSE_PASSWORD",
        description="That user's password; the embedded ClickHouse makes one of its own without it",
    )
    reader_user: str = Field(
        "reader",
        alias="BREAKOUT_READER_USER",
        description="Read-only ClickHouse user for people, created by `breakout migrate`",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
    )
    reader_password: SecretStr | None = Field(
        None,
        alias="BREAKOUT_READER_PASSWORD",
        description="Password of the read-only user; without one that user is not created",
    )
    hf_endpoint: HttpAddress = Field(
        "https://huggingface.co", alias="HF_ENDPOINT", description="The Hugging Face Hub"
    )
    hf_token: SecretStr | None = Field(
        None, alias="HF_TOKEN", description="Optional: raises the Hub's rate limit"
    )
    tracked_models_url: HttpAddress = Field(
        "https://raw.githubusercontent.com/Interconnects-AI/tracked-models/main",
        alias="TRACKED_MODELS_URL",
        description="Base address of the public tracked-models list",
    )
    openrouter_base_url: HttpAddress = Field(
        "https://openrouter.ai/api/v1",
        alias="OPENROUTER_BASE_URL",
        description="OpenRouter's API",
    )
    openrouter_api_key: SecretStr | None = Field(
        None,
        alias="OPENROUTER_API_KEY",
        description="Any key of OpenRouter: without one its tokens are not collected",
    )
    arena_base_url: HttpAddress = Field(
        "https://datasets-server.huggingface.co",
        alias="ARENA_BASE_URL",
        description="Dataset viewer's API, which serves the Arena leaderboard",
    )
    artificial_analysis_base_url: HttpAddress = Field(
        "https://artificialanalysis.ai/api/v2",
        alias="ARTIFICIAL_ANALYSIS_BASE_URL",
        description="Artificial Analysis's API",
    )
    artificial_analysis_api_key: SecretStr | None = Field(
        None,
        alias="ARTIFICIAL_ANALYSIS_API_KEY",
        description="Key of Artificial Analysis: without one its index is not collected",
    )
    modelscope_endpoint: HttpAddress = Field(
        "https://modelscope.cn", alias="MODELSCOPE_ENDPOINT", description="ModelScope"
    )
    names_file: OptionalFile = Field(
        None,
        alias="BREAKOUT_NAMES_FILE",
        description="CSV that classifies names of OpenRouter and the leaderboards, "
        "over the shipped map",
    )
    derivatives_requests: int = Field(
        4000,
        alias="BREAKOUT_DERIVATIVES_REQUESTS",
        description="Requests to the Hub that one survey of derivatives makes at most",
        ge=1,
    )
    overrides_file: OptionalFile = Field(
        None,
        alias="BREAKOUT_OVERRIDES_FILE",
        description="CSV of facts that overrule the tracked-models list",
    )
    data_dir: Annotated[Path, AfterValidator(_data_dir)] = Field(
        default_factory=default_data_dir,
        alias="BREAKOUT_DATA_DIR",
        description="Where the embedded servers keep their data",
    )
    partitions: int = Field(
        4,
        alias="BREAKOUT_PARTITIONS",
        description="Partitions of the topics when they are made: the most workers that share",
        ge=1,
        le=1024,
    )
    replication_factor: int = Field(
        1, alias="BREAKOUT_REPLICATION_FACTOR", description="Kafka copies of each topic", ge=1
    )
    group: str = Field(
        "breakout", alias="BREAKOUT_GROUP", description="Kafka consumer group of the workers"
    )
    metrics_port: int = Field(
        0,
        alias="BREAKOUT_METRICS_PORT",
        description="Prometheus port on the metrics host; 0 takes any free one and logs it",
        ge=0,
        le=65535,
    )
    metrics_host: Host = Field(
        "127.0.0.1", alias="BREAKOUT_METRICS_HOST", description="Address Prometheus reads from"
    )
    scrape_seconds: int = Field(
        3600,
        alias="BREAKOUT_SCRAPE_SECONDS",
        description="Seconds between scrapes of the download counters",
        ge=1,
        le=_LONGEST_SECONDS,
    )
    registry_seconds: int = Field(
        7 * 86400,
        alias="BREAKOUT_REGISTRY_SECONDS",
        description="Seconds between reads of the tracked-models list",
        ge=1,
        le=_LONGEST_SECONDS,
    )
    batch_rows: int = Field(
        250_000,
        alias="BREAKOUT_BATCH_ROWS",
        description="Observations a worker gathers at most before it inserts",
        ge=1,
    )
    batch_seconds: float = Field(
        0.5,
        alias="BREAKOUT_BATCH_SECONDS",
        description="Seconds a worker waits at most before it inserts",
        gt=0,
        le=3600,
    )
    insert_timeout_seconds: float = Field(
        30.0,
        alias="BREAKOUT_INSERT_TIMEOUT_SECONDS",
        description="Seconds a ClickHouse insert may take before it is tried again",
        gt=0,
        le=3600,
    )
    kafka_timeout_seconds: float = Field(
        30.0,
        alias="BREAKOUT_KAFKA_TIMEOUT_SECONDS",
        description="Seconds after which a worker gives up a request to a Kafka node that stands "
        "still, and asks the others",
        ge=10,
        le=600,
    )
    dead_letter_limit: int = Field(
        20,
        alias="BREAKOUT_DEAD_LETTER_LIMIT",
        description="Unreadable records that a worker buries of any 100 in a row of a partition; "
        "one more stops it, since then the fault may be its own; 100 = no limit",
        ge=0,
        le=100,
    )
    breakout_min_age_days: int = Field(
        7, alias="BREAKOUT_MIN_AGE_DAYS", description="Youngest age of a breakout", ge=1, le=365
    )
    breakout_max_age_days: int = Field(
        90, alias="BREAKOUT_MAX_AGE_DAYS", description="Oldest age of a breakout", ge=1, le=365
    )
    api_host: Host = Field(
        "127.0.0.1", alias="BREAKOUT_API_HOST", description="Address the API listens on"
    )
    api_port: int = Field(
        8000,
        alias="BREAKOUT_API_PORT",
        description="Port of the API; 0 takes any free one and logs it",
        ge=0,
        le=65535,
    )
    api_queries: int = Field(
        8,
        alias="BREAKOUT_API_QUERIES",
        description="Queries that the API runs at the same time; others wait for their turn",
        ge=1,
    )
    api_wait_seconds: float = Field(
        5.0,
        alias="BREAKOUT_API_WAIT_SECONDS",
        description="Seconds a request waits for its turn before it is sent away with 503",
        gt=0,
    )
    api_query_seconds: int = Field(
        30,
        alias="BREAKOUT_API_QUERY_SECONDS",
        description="Seconds a query of the API may take; the read-only user's own limit is 60",
        ge=1,
        le=60,
    )
    api_fresh_seconds: float = Field(
        5.0,
        alias="BREAKOUT_API_FRESH_SECONDS",
        description="Seconds after which the API looks whether anything has changed, before it "
        "gives a small answer again that it has given; 0 asks the database every time",
        ge=0,
        le=3600,
    )
    api_cors_origins: Annotated[str, AfterValidator(_origins)] = Field(
        "*",
        alias="BREAKOUT_API_CORS_ORIGINS",
        description="Web origins whose pages may read the API, separated by commas; * is any",
    )
    api_rate: int = Field(
        300,
        alias="BREAKOUT_API_RATE",
        description="Requests a minute of one address to the API",
        ge=1,
    )
    api_key_rate: int = Field(
        3000,
        alias="BREAKOUT_API_KEY_RATE",
        description="Requests a minute of one API key, unless the keys' file says another number",
        ge=1,
    )
    api_keys_file: OptionalFile = Field(
        None,
        alias="BREAKOUT_API_KEYS_FILE",
        description="API keys as `breakout api key` prints them: names and hashes",
    )
    api_query_rate: int = Field(
        120,
        alias="BREAKOUT_API_QUERY_RATE",
        description="Seconds of queries a minute that one address may use; an API key may use as "
        "much more as it may ask more often",
        ge=1,
    )
    api_spool_mebibytes: int = Field(
        2048,
        alias="BREAKOUT_API_SPOOL_MEBIBYTES",
        description="MiB of large answers that wait in temporary files to be read: one client's "
        "half of it at most, one answer a quarter",
        ge=4,
    )
    api_stall_seconds: float = Field(
        20.0,
        alias="BREAKOUT_API_STALL_SECONDS",
        description="Seconds without progress after which an answer that is not read is cut",
        gt=0,
    )
    api_answer_seconds: float = Field(
        600.0,
        alias="BREAKOUT_API_ANSWER_SECONDS",
        description="Seconds a client may take to read an answer; events are not concerned",
        gt=0,
    )
    api_trusted_proxies: Annotated[str, AfterValidator(_networks)] = Field(
        "",
        alias="BREAKOUT_API_TRUSTED_PROXIES",
        description="Addresses or networks of proxies, separated by commas, whose "
        "X-Forwarded-For says who asks; empty believes nobody",
    )
    log_format: str = Field(
        "auto",
        alias="BREAKOUT_LOG_FORMAT",
        description="json, console, or auto: console for a terminal, else json",
        pattern=r"^(auto|json|console)$",
    )

    @field_validator("*", mode="before")
    @classmethod
    def _is_text(cls, value: Any) -> Any:
        """Refuse bytes of the environment that are no UTF-8: nothing could be done with them."""
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if isinstance(text, str) and not _is_utf8(text):
            raise ValueError("must be UTF-8 text")
        return value

    @property
    def kafka_uses_sasl(self) -> bool:
        """Whether Kafka wants a login."""
        return self.kafka_security_protocol.startswith("SASL")

    @property
    def clickhouse(self) -> "ClickHouseAddress":
        """The parts of `CLICKHOUSE_URL`; a user or password in it overrules the variables.

        Without any password, that of the embedded ClickHouse in the data folder.
        """
        user = urlsplit(self.clickhouse_url).username
        return self._login(
            unquote(user) if user else self.clickhouse_user, self.own_clickhouse_password
        )

    @property
    def clickhouse_reader(self) -> "ClickHouseAddress":
        """The same with the login of the read-only user."""
        return self._login(self.reader_user, self.reader_password)

    @property
    def own_clickhouse_password(self) -> SecretStr | None:
        """The password that was set for ClickHouse, in its address or by its variable."""
        password = urlsplit(self.clickhouse_url).password
        own = SecretStr(unquote(password)) if password else self.clickhouse_password
        return own if own.get_secret_value() else None

    def _login(self, user: str, password: SecretStr | None) -> "ClickHouseAddress":
        parts = urlsplit(self.clickhouse_url)
        secure = parts.scheme == "https"
        host, port = parts.hostname or "127.0.0.1", parts.port or (8443 if secure else 8123)
        if password is None and not secure and is_loopback(host):
            password = local_password(self.data_dir, port, user)
        return ClickHouseAddress(
            host=host,
            port=port,
            secure=secure,
            database=parts.path.strip("/"),
            user=user,
            password=password or SecretStr(""),
        )


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine's loopback, where the embedded servers listen."""
    return host in {"127.0.0.1", "localhost"}


class ClickHouseAddress:
    """Where ClickHouse is and as whom to talk to it."""

    def __init__(
        self, *, host: str, port: int, secure: bool, database: str, user: str, password: SecretStr
    ) -> None:
        self.host = host
        self.port = port
        self.secure = secure
        self.database = database
        self.user = user
        self.password = password

    @property
    def scheme(self) -> str:
        """What it speaks: http or https."""
        return "https" if self.secure else "http"

    def __str__(self) -> str:
        return f"{self.scheme}://{host_port(self.host, self.port)}/{self.database}"


def read_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment; `overrides` go by field name.

    Raises `SettingsError` that names each wrong variable and what would be right. The value
    itself is not repeated: it may hold a password.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        wrong = []
        for problem in error.errors(include_url=False, include_input=False):
            name = str(problem["loc"][0]) if problem["loc"] else "settings"
            field = Settings.model_fields.get(name)
            variable = (field.alias if field else None) or name
            wrong.append(f"{variable}: {problem['msg'].removeprefix('Value error, ')}")
        raise SettingsError("; ".join(wrong)) from None
