"""The embedded ClickHouse as a process: ``python -m breakout.embedded.clickhouse_server``.

Passwords come from the environment (``BREAKOUT_EMBEDDED_ADMIN_PASSWORD``,
``BREAKOUT_EMBEDDED_READER_PASSWORD``), never from arguments, which other users can see.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import threading
from pathlib import Path

from aiohttp import web

from breakout.embedded.clickhouse_engine import Engine
from breakout.embedded.clickhouse_errors import ClickHouseError
from breakout.embedded.clickhouse_http import ClickHouseHttp
from breakout.embedded.clickhouse_users import User, Users
from breakout.embedded.errors import EmbeddedError
from breakout.embedded.lock import locked

ADMIN_PASSWORD_VARIABLE = "BREAKOUT_EMBEDDED_ADMIN_PASSWORD"  # noqa: S105
READER_PASSWORD_VARIABLE = "BREAKOUT_EMBEDDED_READER_PASSWORD"  # noqa: S105
# Queries in flight get this long to finish once the server is told to stop
GRACE_SECONDS = 3.0
_LONGEST_ADDRESS = 1 << 20


async def serve(directory: Path, port: int, users: Users) -> None:
    """Serve the engine in ``directory`` on 127.0.0.1 until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    engine = Engine(directory)
    runner = web.AppRunner(
        ClickHouseHttp(engine, users).application(),
        handler_cancellation=True,
        shutdown_timeout=GRACE_SECONDS,
        access_log=None,
        # Bodies are decompressed by this program, which knows more encodings
        auto_decompress=False,
        # Parameters travel in the address; ClickHouse's own limit of it
        max_line_size=_LONGEST_ADDRESS,
        max_field_size=_LONGEST_ADDRESS,
        # Reading the body in large pieces is what keeps big inserts cheap
        read_bufsize=1 << 20,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await stop.wait()
    finally:
        await runner.cleanup()
        engine.close()


def _stop_with_parent() -> None:
    """End this process when its parent's end of stdin goes away, however the parent dies."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1024):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def main() -> int:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="breakout.embedded.clickhouse_server")
    parser.add_argument("--path", type=Path, required=True, help="directory of the data")
    parser.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
    parser.add_argument("--admin", default="default", help="name of the admin user")
    parser.add_argument("--reader", default="reader", help="name of the read-only user")
    parser.add_argument("--watch-stdin", action="store_true", help="stop when stdin is closed")
    arguments = parser.parse_args()
    admin = User(arguments.admin, os.environ.pop(ADMIN_PASSWORD_VARIABLE, ""), reader=False)
    reader = User(arguments.reader, os.environ.pop(READER_PASSWORD_VARIABLE, ""), reader=True)
    # Where the admin needs a password, nobody reads without one either
    has_reader = bool(reader.password) or not admin.password
    # The engine takes its time zone from the process
    os.environ["TZ"] = "UTC"
    arguments.path.mkdir(parents=True, exist_ok=True)
    if arguments.watch_stdin:
        _stop_with_parent()
    try:
        with locked(arguments.path, "server.lock", "server"):
            asyncio.run(
                serve(
                    arguments.path.resolve(),
                    arguments.port,
                    Users(admin, reader if has_reader else None),
                )
            )
    except (OSError, EmbeddedError, ClickHouseError) as error:
        print(f"clickhouse_server: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
