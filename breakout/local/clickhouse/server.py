"""The embedded ClickHouse as a process: ``python -m breakout.local.clickhouse.server``.

The first line of its standard input holds the users with their passwords (`Users.to_json`);
arguments and environment hold none. It ends when its standard input does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import warnings
from pathlib import Path

from aiohttp import web

from breakout.local.clickhouse.engine import Engine
from breakout.local.clickhouse.errors import ClickHouseError
from breakout.local.clickhouse.http import ClickHouseHttp
from breakout.local.clickhouse.users import Users
from breakout.local.confinement import confine, python_libraries, unconfined
from breakout.local.errors import EmbeddedError
from breakout.local.lock import locked
from breakout.processes.parent import end_with_parent

# Running queries may finish within this time after SIGTERM
GRACE_SECONDS = 3.0
_MAX_URL_BYTES = 1 << 20


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
        # Bodies are decompressed by this program, which supports more encodings
        auto_decompress=False,
        # ClickHouse's own limit; the URL holds parameters
        max_line_size=_MAX_URL_BYTES,
        max_field_size=_MAX_URL_BYTES,
        # Large reads make large inserts cheap
        read_bufsize=1 << 20,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await stop.wait()
    finally:
        await runner.cleanup()
        engine.close()


def _first_line() -> str:
    """Read the first line of standard input, unbuffered: the rest is for `end_with_parent`."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(0, 1)):
        line += byte
    return line.decode()


def main() -> int:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="breakout.local.clickhouse.server")
    parser.add_argument("--path", type=Path, required=True, help="directory of the data")
    parser.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
    arguments = parser.parse_args()
    # The engine takes its time zone from the process
    os.environ["TZ"] = "UTC"
    # Errors of a form are sent to the client; aiohttp would log them too
    warnings.filterwarnings("ignore", module=r"aiohttp\.multipart")
    try:
        users = Users.from_json(_first_line())
        directory = arguments.path.resolve()
        temporary = directory / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        os.environ["TMPDIR"] = str(temporary)
        with locked(directory, "server.lock", "server"):
            # Before any thread starts: threads inherit it
            confine(port=arguments.port, owns=[directory], loads=python_libraries())
            missing = unconfined()
            print(
                "confined by the kernel"
                if missing is None
                else f"not confined by the kernel: {missing}",
                file=sys.stderr,
            )
            end_with_parent()
            asyncio.run(serve(directory, arguments.port, users))
    except (OSError, ValueError, EmbeddedError, ClickHouseError) as error:
        print(f"clickhouse_server: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
