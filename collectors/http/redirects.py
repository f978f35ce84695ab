"""Which redirects are allowed: none from the internet to this machine or its private network."""

import asyncio
import socket
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from breakout.http.proxies import is_this_machine

_NAT64 = ip_network("64:ff9b::/96")


class Place(StrEnum):
    """Where an address is, from this machine."""

    OUTSIDE = "outside"
    NETWORK = "a private address"
    LINK_LOCAL = "a link-local address"
    MACHINE = "an address of this machine"


class Redirects:
    """Checks the targets of a source's redirects against where the source itself is.

    A source on this machine, or in a private network, may redirect there. A name that does not
    resolve is allowed: a proxy may resolve it.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._own: set[Place] = set()

    async def refusal(self, target: str) -> str | None:
        """Return why a redirect to a host is refused, None where it may be followed."""
        if target == self._source:
            return None
        if not self._own:
            self._own = await _places(self._source) | {Place.OUTSIDE}
        return self._why(target, await _places(target))

    def refusal_of_peer(self, target: str, address: str) -> str | None:
        """Return why a response from a peer is refused: a name may resolve differently by then."""
        return None if target == self._source else self._why(target, {place_of(address)})

    def _why(self, target: str, places: set[Place]) -> str | None:
        inside = places - (self._own - {Place.LINK_LOCAL}) - {Place.OUTSIDE}
        return f"a redirect to {target}, {min(inside)}" if inside else None


def place_of(address: str) -> Place:
    """Return where an address is; an IPv6 address that embeds an IPv4 one is where that is."""
    ip = _unwrapped(ip_address(address))
    if ip.is_loopback or ip.is_unspecified:
        return Place.MACHINE
    if ip.is_link_local:
        return Place.LINK_LOCAL
    return Place.OUTSIDE if ip.is_global and not ip.is_multicast else Place.NETWORK


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


async def _places(host: str) -> set[Place]:
    if is_this_machine(host):
        return {Place.MACHINE}
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return set()
    return {place_of(str(info[4][0])) for info in found}
