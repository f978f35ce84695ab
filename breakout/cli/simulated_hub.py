"""The simulated Hub as a child process with a clock that we set."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from breakout.cli.errors import CommandFailed

START_SECONDS = 60.0
# Its shortest history: a younger world has no ten models of one age and size.
SHORTEST_DAYS = 180


@dataclass(frozen=True)
class SimulatedHubProcess:
    """Where the simulated Hub is, and the last moment (UTC) it knows of."""

    addresses: dict[str, str]
    """Every source's address by the setting it is for."""
    last: datetime
    client: httpx.AsyncClient

    async def set_clock(self, now: datetime) -> None:
        """Make the Hub answer as of a moment."""
        answer = await self.client.post(
            f"{self.addresses['HF_ENDPOINT']}/simulation/clock", json={"now": now.isoformat()}
        )
        answer.raise_for_status()


@asynccontextmanager
async def simulated_hub(
    days: int, log: Path, names: Path | None = None
) -> AsyncIterator[SimulatedHubProcess]:
    """Run simulated sources with so many days of history or more, until the end of the block.

    What their invented names mean is written to `names`, for BREAKOUT_NAMES_FILE.
    """
    named = ("--names-file", str(names)) if names is not None else ()
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "breakout.local.tether", str(os.getpid())),
            *(sys.executable, "-m", "breakout.simulation"),
            *("--days", str(max(days, SHORTEST_DAYS)), *named),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    try:
        said = await _announcement(process, log)
        # It runs on this machine: no proxy leads there.
        async with httpx.AsyncClient(trust_env=False) as client:
            yield SimulatedHubProcess(
                addresses={
                    name: value for name, value in said.items() if not name.endswith("_DAY")
                },
                last=datetime.fromisoformat(f"{said['LAST_DAY']}T00:00:00Z"),
                client=client,
            )
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _announcement(process: asyncio.subprocess.Process, log: Path) -> dict[str, str]:
    if process.stdout is None:
        raise RuntimeError("the simulated Hub was started without a pipe")
    said: dict[str, str] = {}
    try:
        async with asyncio.timeout(START_SECONDS):
            while "LAST_DAY" not in said:
                line = await process.stdout.readline()
                if not line:
                    raise CommandFailed(f"the simulated Hub does not start: {_last_line(log)}")
                name, _, value = line.decode().strip().partition("=")
                said[name] = value
    except TimeoutError:
        raise CommandFailed(
            f"the simulated Hub did not start within {START_SECONDS:.0f} s; its log is {log}"
        ) from None
    return said


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it says nothing"
