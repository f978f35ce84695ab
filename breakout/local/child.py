"""A server process under supervision."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from breakout.local.errors import EmbeddedError

START_SECONDS = 60.0
STOP_SECONDS = 10.0
# A process that ran shorter than this died "at once"
SHORT_LIFE_SECONDS = 10.0
SHORT_LIVES = 3
_POLL_SECONDS = 0.05
_LOG_TAIL_CHARACTERS = 2000
# How often a running program is asked whether it still answers, and how many times in a row it
# may not; the question itself has a time limit of its own.
PROBE_SECONDS = 1.0
SILENT_PROBES = 3
# All that a program gets of our environment, which holds tokens and passwords
_INHERITED = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LD_LIBRARY_PATH",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",
)

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Program:
    """What to run.

    ``answers`` tells within a few seconds whether it serves. ``first_line`` is written to its
    standard input, where no other user and no query can read it. ``lost`` is what a crash of it
    loses; a program that loses something is not killed for being silent.
    """

    name: str
    command: list[str]
    log: Path
    answers: Callable[[], Awaitable[bool]]
    first_line: str = field(default="", repr=False)
    lost: str | None = None


class Child:
    """A program that is started, kept running and stopped."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._process: asyncio.subprocess.Process | None = None
        self._started_at = 0.0

    @property
    def pid(self) -> int:
        """Process id of the running program."""
        return self._running().pid

    async def start(self) -> None:
        """Start the program and wait until it answers.

        Raises EmbeddedError, with the end of its log, if it ends or stays silent.
        """
        program = self._program
        with program.log.open("ab") as log:
            process = self._process = await asyncio.create_subprocess_exec(
                *program.command,
                env={name: os.environ[name] for name in _INHERITED if name in os.environ},
                # Held open: the program ends when it closes, that is, with this process
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                # Ctrl-C in the terminal is for the supervisor, which stops the rest in order
                start_new_session=True,
            )
        if process.stdin is not None and program.first_line:
            process.stdin.write(f"{program.first_line}\n".encode())
        self._started_at = time.monotonic()
        while not await program.answers():
            if process.returncode is not None:
                raise EmbeddedError(
                    f"{program.name} ended with code {process.returncode} while starting; "
                    f"the end of its log {program.log}:\n{self._log_tail()}"
                )
            if time.monotonic() - self._started_at > START_SECONDS:
                await self.stop()
                raise EmbeddedError(
                    f"{program.name} did not answer within {START_SECONDS:.0f} s; "
                    f"its log is {program.log}"
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def keep_running(self) -> None:
        """Start the program again whenever it ends or answers no more; never returns.

        Raises EmbeddedError when it dies at once several times in a row.
        """
        short_lives = 0
        while True:
            code = await self._end()
            life = time.monotonic() - self._started_at
            short_lives = short_lives + 1 if life < SHORT_LIFE_SECONDS else 0
            if short_lives >= SHORT_LIVES:
                raise EmbeddedError(
                    f"{self._program.name} died {short_lives} times at once, last with code "
                    f"{code}; the end of its log {self._program.log}:\n{self._log_tail()}"
                )
            logger.warning(
                "embedded server died, starting it again",
                server=self._program.name,
                exit_code=code,
                lived_seconds=round(life, 1),
                lost=self._program.lost or "nothing that was acknowledged",
            )
            await self.start()

    async def _end(self) -> int:
        """The exit code of the program once it has ended, or was killed for its silence: an
        engine that crashes in one of its threads may leave a process that does nothing more."""
        process = self._running()
        if self._program.lost is not None:
            return await process.wait()
        ended = asyncio.create_task(process.wait())
        silent = 0
        try:
            while not (await asyncio.wait([ended], timeout=PROBE_SECONDS))[0]:
                silent = 0 if await self._program.answers() else silent + 1
                if silent >= SILENT_PROBES and not ended.done():
                    logger.warning(
                        "embedded server does not answer, killing it", server=self._program.name
                    )
                    process.kill()
                    break
            return await ended
        finally:
            ended.cancel()

    async def stop(self) -> None:
        """Ask the program to end, and kill it if it does not."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            logger.warning("embedded server does not stop, killing it", server=self._program.name)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError(f"{self._program.name} was not started")
        return self._process

    def _log_tail(self) -> str:
        text = self._program.log.read_text(errors="replace")
        return text[-_LOG_TAIL_CHARACTERS:].strip()
