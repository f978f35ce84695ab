"""What a power loss leaves of a log: the last records a dead broker had acknowledged are gone."""

import struct

from tests.support.kafka.broker import KafkaBroker

_HEAD = struct.Struct(">qi")
"""Of a batch on disk: its first offset, and the bytes that follow."""


def cut_last_batch(broker: KafkaBroker, topic: str, partition: int) -> bool:
    """Cut the last batch off a partition's log; False where the log holds none.

    The broker is dead. It finds the rest when it starts, as after a crash.
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
