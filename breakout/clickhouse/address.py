"""Address and login of a ClickHouse server."""

from dataclasses import dataclass

from pydantic import SecretStr

from breakout.http.addresses import host_port


@dataclass(frozen=True, kw_only=True)
class ClickHouseAddress:
    """A server, a database on it and a login; its text has no login."""

    host: str
    port: int
    secure: bool
    database: str
    user: str
    password: SecretStr

    @property
    def scheme(self) -> str:
        """The scheme of its URL: http or https."""
        return "https" if self.secure else "http"

    def __str__(self) -> str:
        return f"{self.scheme}://{host_port(self.host, self.port)}/{self.database}"
