"""Settings of ClickHouse, and of the folder of the embedded servers."""

import os
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr

from breakout.clickhouse.address import ClickHouseAddress
from breakout.clickhouse.local_login import local_password
from breakout.http.addresses import is_loopback
from breakout.settings.group import SettingsGroup
from breakout.settings.values import CertificatesFile, ClickHouseUrl, LocalPath


def _default_data_dir() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "breakout"
    base = Path(os.environ.get("XDG_DATA_HOME", ""))
    # The XDG specification ignores a value that is not absolute.
    return (base if base.is_absolute() else Path.home() / ".local" / "share") / "breakout"


class ClickHouseSettings(SettingsGroup):
    """How to connect to ClickHouse, as the writer and as the read-only user."""

    clickhouse_url: ClickHouseUrl = Field(
        "http://127.0.0.1:8123/breakout",
        alias="CLICKHOUSE_URL",
        description="URL of ClickHouse's HTTP interface, ending with the database; it may contain "
        "user and password",
    )
    clickhouse_user: str = Field(
        "default",
        alias="BREAKOUT_CLICKHOUSE_USER",
        description="ClickHouse user that migrates and writes",
    )
    clickhouse_password: SecretStr = Field(
        SecretStr(""),
        alias="BREAKOUT_CLICKHOUSE_PASSWORD",
        description="Password of that user; if not set, the embedded ClickHouse generates one",
    )
    clickhouse_ca_file: CertificatesFile | None = Field(
        None,
        alias="BREAKOUT_CLICKHOUSE_CA_FILE",
        description="PEM file of the authority that signs ClickHouse's certificate, for an "
        "https:// URL; default: the system's",
    )
    insert_timeout_seconds: float = Field(
        30.0,
        alias="BREAKOUT_INSERT_TIMEOUT_SECONDS",
        description="Seconds until an insert into ClickHouse times out and is retried",
        gt=0,
        le=3600,
    )
    reader_user: str = Field(
        "reader",
        alias="BREAKOUT_READER_USER",
        description="Read-only ClickHouse user, created by `breakout migrate`",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
    )
    reader_password: SecretStr | None = Field(
        None,
        alias="BREAKOUT_READER_PASSWORD",
        description="Password of the read-only user; if not set, the user is not created",
    )
    data_dir: LocalPath = Field(
        default_factory=_default_data_dir,
        alias="BREAKOUT_DATA_DIR",
        description="Folder in which the embedded Kafka and ClickHouse store their data",
    )

    @property
    def clickhouse(self) -> ClickHouseAddress:
        """Address and login of the writer; those in `CLICKHOUSE_URL` take precedence.

        If no password is set, that of the embedded ClickHouse in the data folder.
        """
        user = urlsplit(self.clickhouse_url).username
        return self._login(
            unquote(user) if user else self.clickhouse_user, self.own_clickhouse_password
        )

    @property
    def clickhouse_reader(self) -> ClickHouseAddress:
        """Address and login of the read-only user."""
        return self._login(self.reader_user, self.reader_password)

    @property
    def own_clickhouse_password(self) -> SecretStr | None:
        """The password set for the writer, in the URL or by its variable."""
        password = urlsplit(self.clickhouse_url).password
        own = SecretStr(unquote(password)) if password else self.clickhouse_password
        return own if own.get_secret_value() else None

    def _login(self, user: str, password: SecretStr | None) -> ClickHouseAddress:
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
