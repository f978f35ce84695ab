"""The handshake of clickhouse-go, the driver of Grafana's ClickHouse plugin.

Over HTTP the driver requests ``Native`` with ``client_protocol_version``, and expects blocks of
that protocol version (block information, one byte after each column's type) until the response
to its first query names the server's version. The engine writes blocks of version 0. So this
response has the client's version and names version 0, which the driver reads from then on.
"""

from __future__ import annotations

import re
import struct

from breakout.local.clickhouse.request import QueryRequest
from breakout.local.clickhouse.response import DISPLAY_NAME

_HANDSHAKE = re.compile(
    rb"\s*SELECT\s+displayName\(\)\s*,\s*version\(\)\s*,\s*revision\(\)\s*,\s*timezone\(\)[\s;]*",
    re.IGNORECASE,
)
_BLOCK_INFORMATION = bytes.fromhex("010002ffffffff00")
_FIRST_WITH_SERIALIZATION = 54454


def handshake_response(
    request: QueryRequest, sql: bytes, version: str, timezone: str
) -> bytes | None:
    """Return the response to the handshake; None for any other query."""
    revision = request.client_protocol_version
    if not revision or request.default_format != "Native" or not _HANDSHAKE.fullmatch(sql):
        return None
    serialization = b"\0" if revision >= _FIRST_WITH_SERIALIZATION else b""
    columns = {
        "displayName()": ("String", _text(DISPLAY_NAME)),
        "version()": ("String", _text(version)),
        "revision()": ("UInt32", struct.pack("<I", 0)),
        "timezone()": ("String", _text(timezone)),
    }
    block = [_BLOCK_INFORMATION, bytes([len(columns), 1])]
    for title, (kind, value) in columns.items():
        block += [_text(title), _text(kind), serialization, value]
    return b"".join(block)


def _text(value: str) -> bytes:
    # Below 128 bytes, so that the length is one byte
    data = value.encode()[:127]
    return bytes([len(data)]) + data
