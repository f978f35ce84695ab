"""A power loss: a log without the last records that the broker had acknowledged."""

import struct

from tests.support.kafka.broker import KafkaBroker

_HEAD = struct.Struct(">qi")
"""Header of a batch on disk: its first offset, and the bytes that follow."""


def cut_last_batch(broker: KafkaBroker, topic: str, partition: int) -> bool:
    """Cut the last batch off a partition's log; returns False for an empty log.

    The broker must not run; it recovers the log at its next start.
    """
    if broker.is_running:
        raise RuntimeError("the broker still writes to its log")
    folder = broker.directory / "log" / f"{topic}-{partition}"
    segment = max(folder.glob("*.log"))
    data = segment.read_bytes()
    starts = _batches(data)
    if not starts:
        return False
    segment.write_bytes(data[: starts[-1]])
    return True


def _batches(data: bytes) -> list[int]:
    starts, at = [], 0
    while at + _HEAD.size <= len(data):
        _, length = _HEAD.unpack_from(data, at)
        if length <= 0 or at + _HEAD.size + length > len(data):
            break  # preallocated
        starts.append(at)
        at += _HEAD.size + length
    return starts
