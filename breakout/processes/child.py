"""A child process: started, kept running, and stopped."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from breakout.processes.errors import ProcessError
from breakout.processes.program import Probe, Program

START_SECONDS = 60.0
STOP_SECONDS = 15.0
PROBE_SECONDS = 1.0
MAX_FAILED_PROBES = 3
_POLL_SECONDS = 0.05
_LOG_TAIL_CHARACTERS = 2000

logger = structlog.get_logger(__name__)


class ChildProcess:
    """A program in a process of its own, which ends when this process does.

    The child watches the pipe on its standard input (`breakout.processes.parent`).
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self._process: asyncio.subprocess.Process | None = None
        self._started_at = 0.0

    @property
    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError(f"{self.program.name} was not started")
        return self._process

    @property
    def pid(self) -> int:
        """Process id of the running program."""
        return self._running.pid

    @property
    def output(self) -> asyncio.StreamReader:
        """Standard output of a program with ``pipe_output``."""
        if self._running.stdout is None:
            raise RuntimeError(f"{self.program.name} was started without an output pipe")
        return self._running.stdout

    async def write(self, text: str) -> None:
        """Write to standard input."""
        if self._running.stdin is not None:
            self._running.stdin.write(text.encode())
            await self._running.stdin.drain()

    async def start(self) -> None:
        """Start the program and wait until it is ready.

        Raises ProcessError, with the end of its log, if it exits or is not ready in time.
        """
        program = self.program
        await self._spawn()
        self._started_at = time.monotonic()
        if program.first_line:
            with contextlib.suppress(ConnectionError):
                await self.write(f"{program.first_line}\n")
        while program.ready is not None and not await program.ready():
            code = self._running.returncode
            if code is not None:
                raise ProcessError(
                    f"{program.name} exited with code {code} while starting{self._log_tail()}"
                )
            if time.monotonic() - self._started_at > START_SECONDS:
                await self.stop()
                raise ProcessError(
                    f"{program.name} did not respond within {START_SECONDS:.0f} s of its "
                    f"start{self._log_tail()}"
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def keep_running(self) -> None:
        """Restart the program whenever it exits or stops responding; never returns.

        Start it first, and cancel this before stopping it. Raises ProcessError when a restart
        fails, and when the program fails early too often.
        """
        program, policy = self.program, self.program.restarts
        early_failures = 0
        while True:
            code = await self._exit_code()
            lived = time.monotonic() - self._started_at
            early_failures = early_failures + 1 if lived < policy.stable_seconds else 0
            if policy.max_early_failures is not None and (
                early_failures >= policy.max_early_failures
            ):
                raise ProcessError(
                    f"{program.name} exited {early_failures} times within "
                    f"{policy.stable_seconds:.0f} s of its start, last with code {code}"
                    f"{self._log_tail()}"
                )
            pause = policy.pause(early_failures)
            logger.warning(
                "process exited, restarting it",
                process=program.name,
                exit_code=code,
                lived_s=round(lived, 1),
                pause_s=pause,
                lost=program.lost_on_exit,
            )
            await asyncio.sleep(pause)
            await self.start()

    async def stop(self) -> None:
        """Send SIGTERM, and SIGKILL if the process does not exit in time."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            logger.warning("process did not stop, killing it", process=self.program.name)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _spawn(self) -> None:
        program = self.program
        with contextlib.ExitStack() as stack:
            log = sys.stderr.fileno()
            if program.log is not None:
                log = stack.enter_context(program.log.open("ab")).fileno()
            self._process = await asyncio.create_subprocess_exec(
                *program.command,
                env=program.environment,
                # Held open: the child ends when it closes
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE if program.pipe_output else log,
                stderr=log,
                # Ctrl-C in the terminal is for the parent, which stops its children in order
                start_new_session=True,
            )

    async def _exit_code(self) -> int:
        """Wait for the program to exit, and kill it if it stops responding.

        An engine that crashes in one of its threads may leave a process that does nothing.
        """
        alive = self.program.alive
        if alive is None:
            return await self._running.wait()
        exit_code = asyncio.create_task(self._running.wait())
        try:
            await self._probe(alive, exit_code)
            return await exit_code
        finally:
            exit_code.cancel()

    async def _probe(self, alive: Probe, exit_code: asyncio.Task[int]) -> None:
        failed = 0
        while not (await asyncio.wait([exit_code], timeout=PROBE_SECONDS))[0]:
            failed = 0 if await alive() else failed + 1
            if failed >= MAX_FAILED_PROBES and not exit_code.done():
                logger.warning("process does not respond, killing it", process=self.program.name)
                self._running.kill()
                return

    def _log_tail(self) -> str:
        log = self.program.log
        if log is None:
            return ""
        text = log.read_text(errors="replace")
        return f"; the end of its log {log}:\n{text[-_LOG_TAIL_CHARACTERS:].strip()}"


@asynccontextmanager
async def running(program: Program) -> AsyncIterator[ChildProcess]:
    """Run a program until the end of the block. Raises as `ChildProcess.start`."""
    child = ChildProcess(program)
    try:
        await child.start()
        yield child
    finally:
        await child.stop()


async def stop_in_order(*groups: Sequence[ChildProcess]) -> None:
    """Stop groups of children one after the other, the children of a group together."""
    for group in groups:
        await asyncio.gather(*(child.stop() for child in group))
