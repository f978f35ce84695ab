"""The first question of clickhouse-go, which Grafana's plugin for ClickHouse is made with.

Over HTTP it asks in ``Native`` with ``client_protocol_version``, and expects blocks framed for
that version (block information, one byte behind each column's type) until this answer names the
server's own. The engine writes blocks without any frame, as of version 0: so this answer is
framed, names version 0, and from then on the driver reads what the engine writes.
"""

from __future__ import annotations

import re
import struct

from breakout.local.clickhouse.request import QueryRequest
from breakout.local.clickhouse.response import DISPLAY_NAME

_QUESTION = re.compile(
    rb"\s*SELECT\s+displayName\(\)\s*,\s*version\(\)\s*,\s*revision\(\)\s*,\s*timezone\(\)[\s;]*",
    re.IGNORECASE,
)
_BLOCK_INFORMATION = bytes.fromhex("010002ffffffff00")
_FIRST_WITH_SERIALIZATION = 54454


def hello(request: QueryRequest, sql: bytes, version: str, timezone: str) -> bytes | None:
    """The answer; None for any other question."""
    revision = request.client_protocol_version
    if not revision or request.default_format != "Native" or not _QUESTION.fullmatch(sql):
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
    # All are shorter than 128 bytes, so their length is one byte
    data = value.encode()[:127]
    return bytes([len(data)]) + data
