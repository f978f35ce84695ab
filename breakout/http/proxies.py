"""Proxies from the environment variables that curl reads.

HTTP_PROXY is for http://, HTTPS_PROXY for https://, ALL_PROXY for both, and NO_PROXY lists hosts
that bypass them. Lower-case names take precedence. Loopback addresses always bypass the proxy.
"""

import os
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.util import find_spec
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

import httpx

from breakout.settings_error import SettingsError

Address = IPv4Address | IPv6Address

_SCHEMES = ("http", "https", "socks5", "socks5h")
_ENTRY = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://)?(?P<host>\[[^\[\]]*\]|[^\[\]:]*)(?::(?P<port>[0-9]+))?",
    re.IGNORECASE,
)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Proxy:
    """A proxy, and the variable that sets it."""

    variable: str
    url: str
    """May contain a password."""

    @property
    def is_socks(self) -> bool:
        """Whether it is a SOCKS proxy."""
        return self.url.startswith("socks")


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy of a URL; None if there is none or the host bypasses it.

    Raises `SettingsError` that names an invalid variable.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if is_this_machine(host):
        return None
    found = _variable(f"{parts.scheme}_proxy") or _variable("all_proxy")
    if found is None:
        return None
    if _bypasses_proxy(host, parts.port or _PORTS.get(parts.scheme, 0)):
        return None
    return _read(*found)


def is_this_machine(host: str) -> bool:
    """Whether a host name or address, without brackets, is this machine's loopback."""
    host = host.lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and (address.is_loopback or address.is_unspecified)


def transport(url: httpx.URL, limits: httpx.Limits) -> httpx.AsyncHTTPTransport:
    """Return a transport for a URL, with its proxy if it has one. Raises `SettingsError`."""
    proxy = proxy_for(str(url))
    return httpx.AsyncHTTPTransport(
        verify=certificates(), limits=limits, proxy=proxy.url if proxy else None
    )


def certificates() -> ssl.SSLContext:
    """Return the TLS context, with SSL_CERT_FILE or SSL_CERT_DIR. Raises `SettingsError`."""
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        variable = "SSL_CERT_FILE" if os.environ.get("SSL_CERT_FILE") else "SSL_CERT_DIR"
        raise SettingsError(
            f"{variable}: cannot read certificates from it ({error.strerror or error}): "
            "name a file of certificates in PEM, or unset it"
        ) from None


class ByProxy(httpx.AsyncBaseTransport):
    """Transport that sends each request through the proxy of its URL, if it has one.

    Raises `SettingsError` for an invalid variable.
    """

    def __init__(self, limits: httpx.Limits) -> None:
        self._limits = limits
        self._transports: dict[str | None, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        proxy = proxy_for(str(request.url))
        key = proxy.url if proxy else None
        if key not in self._transports:
            self._transports[key] = transport(request.url, self._limits)
        return await self._transports[key].handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        for one in self._transports.values():
            await one.aclose()


def _variable(name: str) -> tuple[str, str] | None:
    """Return the name and value of a variable in either case; an empty one is not set."""
    for spelled in (name.lower(), name.upper()):
        value = os.environ.get(spelled, "").strip()
        if value:
            return spelled, value
    return None


def _read(variable: str, value: str) -> Proxy:
    """Check the URL of a proxy. Errors do not repeat it: it may contain a password."""
    url = value if "://" in value else f"http://{value}"
    try:
        parts = urlsplit(url)
        known = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
        known = known and not re.search(r"\s", url)
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        known = False
    if not known:
        raise SettingsError(
            f"{variable}: must be the URL of a proxy, such as http://proxy.example:3128, with one "
            f"of {', '.join(f'{one}://' for one in _SCHEMES)}"
        )
    if parts.scheme.startswith("socks") and find_spec("socksio") is None:
        raise SettingsError(
            f"{variable}: {parts.scheme}:// needs a package that is not installed: "
            "run `pip install socksio`, or use an http:// proxy"
        )
    return Proxy(variable, url)


def _bypasses_proxy(host: str, port: int) -> bool:
    found = _variable("no_proxy")
    if found is None:
        return False
    variable, value = found
    # All entries are read, so that an invalid one is reported for every host.
    matching = [entry for entry in _entries(value) if _matches(variable, entry, host, port)]
    return bool(matching)


def _entries(value: str) -> Iterator[str]:
    return (entry for entry in re.split(r"[\s,]+", value) if entry)


def _matches(variable: str, entry: str, host: str, port: int) -> bool:
    address = _address(host)
    if "/" in entry and "://" not in entry:
        return _is_in_range(variable, entry, address)
    own = _address(entry)
    if own is not None:
        return address == own
    read = _ENTRY.fullmatch(entry)
    if read is None or (read["port"] and int(read["port"]) > 65535):  # noqa: PLR2004
        raise _invalid_entry(variable, entry)
    if read["port"] and int(read["port"]) != port:
        return False
    wanted = read["host"].lower().rstrip(".")
    if wanted.startswith("["):
        own = _address(wanted[1:-1])
        if own is None:
            raise _invalid_entry(variable, entry)
        return address == own
    return _is_named(wanted, host.lower())


def _is_named(wanted: str, host: str) -> bool:
    """Whether a host is, or is below, the domain; `.domain` and `*.domain` mean the same."""
    domain = wanted.removeprefix("*.").lstrip(".")
    if "*" in domain or not domain:
        return fnmatchcase(host, wanted)
    return host == domain or host.endswith(f".{domain}")


def _is_in_range(variable: str, entry: str, address: Address | None) -> bool:
    try:
        network = ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        raise _invalid_entry(variable, entry) from None
    return address is not None and address in network


def _invalid_entry(variable: str, entry: str) -> SettingsError:
    shown = entry if len(entry) <= 80 else f"{entry[:77]}..."  # noqa: PLR2004
    return SettingsError(
        f"{variable}: {shown!r} is neither a host, an address (::1 or [::1]) nor a network "
        "(10.0.0.0/8, fd00::/8), optionally with :port"
    )


def _address(text: str) -> Address | None:
    """Parse an address; an IPv4-mapped IPv6 address becomes the IPv4 address."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
