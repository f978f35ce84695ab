"""Where a redirect may lead: not from outside into this machine or the network it is in."""

import asyncio
import socket
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from breakout.http.proxies import is_this_machine

_NAT64 = ip_network("64:ff9b::/96")


class Place(StrEnum):
    """Where an address is, seen from here."""

    OUTSIDE = "outside"
    NETWORK = "a private address"
    NEIGHBOUR = "a link-local address"
    MACHINE = "an address of this machine"


class Redirects:
    """Judges where a source's redirects lead, by where the source itself is.

    One on this machine, or in a private network, may redirect to there. A name that cannot be
    resolved is nobody's: only a proxy may know it.
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
        """Return why an answer is refused: a name may have moved since it was looked up."""
        return None if target == self._source else self._why(target, {place_of(address)})

    def _why(self, target: str, places: set[Place]) -> str | None:
        inside = places - (self._own - {Place.NEIGHBOUR}) - {Place.OUTSIDE}
        return f"a redirect to {target}, {min(inside)}" if inside else None


def place_of(address: str) -> Place:
    """Return where an address is; one of IPv4 in one of IPv6 is where the former is."""
    read = _unwrapped(ip_address(address))
    if read.is_loopback or read.is_unspecified:
        return Place.MACHINE
    if read.is_link_local:
        return Place.NEIGHBOUR
    return Place.OUTSIDE if read.is_global and not read.is_multicast else Place.NETWORK


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
    return {place_of(str(one[4][0])) for one in found}
