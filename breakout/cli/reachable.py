"""Checks whether a server listens at an address."""

import asyncio

CONNECT_SECONDS = 3.0


async def is_reachable(servers: str) -> bool:
    """Return whether one of `servers` (host:port, comma-separated) accepts a connection."""
    results = await asyncio.gather(*(_listens(server.strip()) for server in servers.split(",")))
    return any(results)


async def _listens(server: str) -> bool:
    host, _, port = server.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")  # of an IPv6 address
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _reader, writer = await asyncio.open_connection(host, int(port))
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
