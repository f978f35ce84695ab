"""Types of setting values: text that is checked and normalised when the settings are read.

An error message never repeats an address: it may hold a password.
"""

import re
import ssl
from ipaddress import IPv6Address, ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import httpx
from pydantic import AfterValidator

# It becomes part of statements that take no parameters, such as CREATE DATABASE.
_DATABASE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")

_PORT = re.compile("[0-9]{1,5}")
_HOST = re.compile(r"[^\s/@:\[\]]+")
_BARE_IPV6 = re.compile(
    r"^[a-z]+://(?:[^/@]*@)?[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*(?:/|$)", re.IGNORECASE
)
_ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^\s/]+", re.IGNORECASE)
_LAST_PORT = 65535


def _http_url(url: str) -> str:
    if _BARE_IPV6.search(url):
        raise ValueError("an IPv6 address must be in brackets, such as http://[::1]:8123")
    try:
        parts = urlsplit(url)
        is_http = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        # Its text would repeat a part of the URL, and that may be a part of the password.
        raise ValueError(
            "the port is not a number, or a password in the URL has an unescaped / ? # : @ [ or ]: "
            "write %2F for /, and so on"
        ) from None
    if not is_http:
        raise ValueError("must be an http:// or https:// URL")
    if parts.query or parts.fragment:
        raise ValueError("must be a URL without ?query and #fragment")
    try:
        _ = httpx.URL(url).host
    except (httpx.InvalidURL, UnicodeError):
        raise ValueError("must be an http:// or https:// URL of printable characters") from None
    return url.rstrip("/")


def _clickhouse_url(url: str) -> str:
    url = _http_url(url)
    database = urlsplit(url).path.strip("/")
    if not database:
        raise ValueError("must end with the database, such as http://127.0.0.1:8123/breakout")
    if not _DATABASE.fullmatch(database):
        raise ValueError("the name of the database may contain only letters, digits, _ and -")
    return url


def _bootstrap_servers(servers: str) -> str:
    """Check a list of host:port here: each Kafka client parses anything else differently."""
    for server in servers.split(","):
        host, _, port = server.strip().rpartition(":")
        if not _PORT.fullmatch(port) or not 0 < int(port) <= _LAST_PORT:
            raise ValueError("must be host:port, or a comma-separated list of them")
        if _is_ipv6(host):
            raise ValueError(f"an IPv6 address must be in brackets, such as [{host}]:{port}")
        bracketed = host.startswith("[") and host.endswith("]") and _is_ipv6(host[1:-1])
        if not bracketed and not _HOST.fullmatch(host):
            raise ValueError("must be host:port, or a comma-separated list of them")
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
        raise ValueError("must be a host name or an address without a port: 127.0.0.1 or ::1")
    return bare


def _origins(origins: str) -> str:
    for origin in origins.split(","):
        if not _ORIGIN.fullmatch(origin.strip()):
            raise ValueError(
                "must be * or a comma-separated list of origins such as https://lab.example, "
                "without a path"
            )
    return origins


def _networks(text: str) -> str:
    for part in filter(None, map(str.strip, text.split(","))):
        try:
            ip_network(part)
        except ValueError as error:
            raise ValueError(
                f"{part!r} is not an address or a network ({error}): write a comma-separated list "
                "such as 10.0.0.7, 10.0.0.0/8, 2001:db8::/32"
            ) from None
    return text


def _expanded(path: Path) -> Path:
    """Return a path with ~ replaced by the home folder, which only a shell does otherwise."""
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError("~ has no home folder: write the full path") from None


def _certificates(file: Path) -> Path:
    try:
        ssl.create_default_context(cafile=file)
    except OSError as error:  # ssl.SSLError is one
        raise ValueError(
            f"cannot read certificates from {file} ({error.strerror or error}): name a file of "
            "certificates in PEM"
        ) from None
    return file


HttpUrl = Annotated[str, AfterValidator(_http_url)]
ClickHouseUrl = Annotated[str, AfterValidator(_clickhouse_url)]
BootstrapServers = Annotated[str, AfterValidator(_bootstrap_servers)]
Host = Annotated[str, AfterValidator(_host)]
Origins = Annotated[str, AfterValidator(_origins)]
Networks = Annotated[str, AfterValidator(_networks)]
LocalPath = Annotated[Path, AfterValidator(_expanded)]
CertificatesFile = Annotated[LocalPath, AfterValidator(_certificates)]
