"""Child processes of the command line: started, kept running, stopped in order."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

STOP_SECONDS = 15.0
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
# Who ran this long is not in a crash loop.
LONG_LIFE_SECONDS = 60.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Program:
    """A command of `breakout` to run as a child, or a module of it.

    `environment` is added to ours, null takes a variable out. Its output goes to the file
    `log`, or without one to our standard error.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str | None] = field(default_factory=dict)
    log: Path | None = None


class Child:
    """One child process."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    async def start(self) -> None:
        """Start the program."""
        with contextlib.ExitStack() as stack:
            output: int = sys.stderr.fileno()
            if self.program.log:
                output = stack.enter_context(self.program.log.open("ab")).fileno()
            self._process = await asyncio.create_subprocess_exec(
                # It ends with the pipe to this process.
                *command_line("--with-parent", *self.program.arguments),
                env=child_environment(self.program.environment),
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                # Ctrl-C in the terminal is for us, who stop the children in order.
                start_new_session=True,
            )

    async def keep_running(self) -> None:
        """Start the program, and again with backoff whenever it ends; returns once stopped."""
        pause = FIRST_PAUSE_SECONDS
        while not self._stopping:
            started = time.monotonic()
            await self.start()
            code = await self.wait()
            if self._stopping:
                return
            lived = time.monotonic() - started
            pause = (
                FIRST_PAUSE_SECONDS
                if lived >= LONG_LIFE_SECONDS
                else min(2 * pause, LONGEST_PAUSE_SECONDS)
            )
            log.warning(
                "a part has died and is started again",
                part=self.program.name,
                exit_code=code,
                lived_s=round(lived, 1),
                pause_s=pause,
            )
            await asyncio.sleep(pause)

    async def wait(self) -> int:
        """Return the exit code once the program has ended."""
        if self._process is None:
            raise RuntimeError(f"{self.program.name} was not started")
        return await self._process.wait()

    async def stop(self) -> None:
        """Ask the program to end, and kill it when it takes too long."""
        self._stopping = True
        if self._process is not None:
            await end(self._process, self.program.name)


def command_line(*arguments: str) -> list[str]:
    """Return how to run a command of `breakout` with this very Python."""
    return [sys.executable, "-m", "breakout", *arguments]


def child_environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return our environment with changes; null takes a variable out."""
    environment = {**os.environ, **changes}
    return {name: value for name, value in environment.items() if value is not None}


async def end(process: asyncio.subprocess.Process, name: str) -> None:
    """Ask a process to end, and kill it when it takes too long."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        log.warning("a part does not stop and is killed", part=name)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def stop_in_order(*groups: Sequence[Child]) -> None:
    """Stop groups of children one after the other, the children of a group together."""
    for group in groups:
        await asyncio.gather(*(child.stop() for child in group))
