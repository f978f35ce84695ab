"""A `breakout replay` as a child process."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from breakout.cli.errors import CommandFailed
from breakout.cli.supervisor import child_environment, command_line, end

ANSWER_SECONDS = 120.0


class ReplayProcess:
    """Asks the child for one run at a time."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    async def collect(self, source: str, observed_at: datetime) -> None:
        """Run a collector once; returns when Kafka has acknowledged what it published."""
        pipe_in, pipe_out = self._process.stdin, self._process.stdout
        if pipe_in is None or pipe_out is None:
            raise RuntimeError("the replay was started without pipes")
        pipe_in.write(f"{source} {observed_at.isoformat()}\n".encode())
        try:
            await pipe_in.drain()
            async with asyncio.timeout(ANSWER_SECONDS):
                line = await pipe_out.readline()
        except (ConnectionError, TimeoutError):
            line = b""
        if not line:
            raise CommandFailed(f"the collectors stopped answering; their log is {self._log}")
        error = json.loads(line)["error"]
        if error:
            raise CommandFailed(f"collecting {source} as of {observed_at:%Y-%m-%d}: {error}")


@asynccontextmanager
async def replay_process(
    environment: Mapping[str, str | None], log: Path
) -> AsyncIterator[ReplayProcess]:
    """Run the child until the end of the block."""
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *command_line("replay"),
            env=child_environment(environment),
            # The child ends when this pipe does, that is, with us.
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    try:
        yield ReplayProcess(process, log)
    finally:
        await end(process, "replay")
