"""`breakout replay` as a child process."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from breakout.cli.errors import CommandFailedError
from breakout.processes.child import ChildProcess, running
from breakout.processes.program import Program, changed_environment, python_module

RUN_SECONDS = 120.0


class ReplayProcess:
    """Requests one collector run at a time from the child."""

    def __init__(self, child: ChildProcess, log: Path) -> None:
        self._child = child
        self._log = log

    async def collect(self, source: str, observed_at: datetime) -> None:
        """Run a collector once; returns when Kafka has acknowledged what it published."""
        request = f"{source} {observed_at.isoformat()}\n"
        try:
            async with asyncio.timeout(RUN_SECONDS):
                await self._child.write(request)
                line = await self._child.output.readline()
        except (ConnectionError, TimeoutError):
            line = b""
        if not line:
            raise CommandFailedError(f"the collectors stopped responding; their log is {self._log}")
        error = json.loads(line)["error"]
        if error:
            raise CommandFailedError(
                f"cannot collect {source} as of {observed_at:%Y-%m-%d}: {error}"
            )


@asynccontextmanager
async def replay_process(
    environment: Mapping[str, str | None], log: Path
) -> AsyncIterator[ReplayProcess]:
    """Run the child until the end of the block."""
    # It reads its standard input to the end, and so ends with its parent
    command = python_module("breakout", "replay")
    program = Program("replay", command, changed_environment(environment), log, pipe_output=True)
    async with running(program) as child:
        yield ReplayProcess(child, log)
