"""Clients of the API: an IPv4 address, the /64 network of an IPv6 address, or an API key.

X-Forwarded-For counts only if it comes from a proxy in `BREAKOUT_API_TRUSTED_PROXIES`.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from math import inf

from starlette.datastructures import Headers
from starlette.types import Scope

Address = IPv4Address | IPv6Address
Networks = tuple[IPv4Network | IPv6Network, ...]

MAX_HOPS = 20
"""Entries of X-Forwarded-For that are read, counted from the last."""
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Client:
    """A client, and how many seconds of queries per minute it may use."""

    name: str
    query_rate: float = inf


_INTERNAL = Client("the API itself")
current_client: ContextVar[Client] = ContextVar("current_client", default=_INTERNAL)
"""The client whose request the running task serves."""


def parse_networks(text: str) -> Networks:
    """Return the networks of `BREAKOUT_API_TRUSTED_PROXIES`, which settings have validated."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def parse_address(text: str) -> Address | None:
    """Return the IP address in a text, None if it is not one."""
    # A zone is an arbitrary name of the sender's, of any length.
    if "%" in text:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def is_trusted(trusted: Networks, address: Address | None) -> bool:
    """Return whether an address is a trusted proxy."""
    return address is not None and any(address in network for network in trusted)


def identify_client(scope: Scope, trusted: Networks) -> str:
    """Return the name of the client that sent a request, see `client_name`.

    Behind trusted proxies it is the last address in X-Forwarded-For that is not a trusted proxy.
    Entries before one that is not an address are ignored.
    """
    found = parse_address((scope.get("client") or ("",))[0])
    if is_trusted(trusted, found):
        hops = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
        for hop in reversed(hops[-MAX_HOPS:]):
            address = parse_address(_without_port(hop.strip(" \t")))
            if address is None:
                break
            found = address
            if not is_trusted(trusted, address):
                break
    return client_name(found)


def client_name(address: Address | None) -> str:
    """Return the name an address is counted under: IPv6 by its /64, the network of one site."""
    if address is None:
        return UNKNOWN
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address)


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        host, end, port = hop[1:].partition("]")
        return host if end and (not port or _is_port(port)) else ""
    host, colon, port = hop.partition(":")
    return host if colon and _is_port(f":{port}") else hop


def _is_port(text: str) -> bool:
    digits = text[1:]
    return text[:1] == ":" and digits.isascii() and digits.isdigit() and len(digits) <= len("65535")
