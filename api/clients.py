"""Who asks: a client is an address, the network of an IPv6 address, or an API key.

A proxy is believed about its clients only where `BREAKOUT_API_TRUSTED_PROXIES` names it.
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

MOST_HOPS = 20
"""Entries of X-Forwarded-For that are read, from the last one on."""
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Client:
    """Who asks, and how many seconds of queries a minute it may use."""

    name: str
    query_rate: float = inf


_OURS = Client("the API itself")
current: ContextVar[Client] = ContextVar("current", default=_OURS)
"""Whose request the running task serves."""


def networks(text: str) -> Networks:
    """Return the networks of `BREAKOUT_API_TRUSTED_PROXIES`, which settings have checked."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def address_of(text: str) -> Address | None:
    """Return the address that a text is, None for any other text."""
    # A zone is a name of the sender's own, of any length.
    if "%" in text:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def trusts(trusted: Networks, address: Address | None) -> bool:
    """Return whether an address is one of the proxies that are believed."""
    return address is not None and any(address in network for network in trusted)


def asking(scope: Scope, trusted: Networks) -> str:
    """Return who sent a request: an IPv4 address, or the 64 bits of an IPv6 one that a site has.

    Behind trusted proxies it is the last address in X-Forwarded-For that is none of them. What
    stands before an entry that is no address is not believed.
    """
    found = address_of((scope.get("client") or ("",))[0])
    if trusts(trusted, found):
        hops = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
        for hop in reversed(hops[-MOST_HOPS:]):
            address = address_of(_without_port(hop.strip(" \t")))
            if address is None:
                break
            found = address
            if not trusts(trusted, address):
                break
    return key_of(found)


def key_of(address: Address | None) -> str:
    """Return the name under which an address is counted."""
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
