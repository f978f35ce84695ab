"""The simulated Hub as a child process, with a clock that the parent sets."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from breakout.cli.errors import CommandFailedError
from breakout.processes.child import ChildProcess, running
from breakout.processes.program import Program, breakout_command, changed_environment

START_SECONDS = 60.0
# Its shortest history: before that, no size bin has ten models of the same age.
SHORTEST_DAYS = 180


@dataclass(frozen=True)
class SimulatedHubProcess:
    """The addresses of the simulated sources, and the last day (UTC) to collect."""

    addresses: dict[str, str]
    """By the setting that each is for."""
    last: datetime
    client: httpx.AsyncClient

    async def set_clock(self, now: datetime) -> None:
        """Make the Hub respond as of a time."""
        response = await self.client.post(
            f"{self.addresses['HF_ENDPOINT']}/simulation/clock", json={"now": now.isoformat()}
        )
        response.raise_for_status()


@asynccontextmanager
async def simulated_hub(
    days: int, log: Path, names: Path | None = None
) -> AsyncIterator[SimulatedHubProcess]:
    """Run simulated sources with at least so many days of history, until the end of the block.

    Their names file, for BREAKOUT_NAMES_FILE, is written to `names`.
    """
    arguments = ["--days", str(max(days, SHORTEST_DAYS))]
    if names is not None:
        arguments += ["--names-file", str(names)]
    async with _serving(arguments, log) as (values, client):
        yield SimulatedHubProcess(_addresses(values), _day(values, "LAST_DAY"), client)


@asynccontextmanager
async def season_hub(days: int, log: Path) -> AsyncIterator[SimulatedHubProcess]:
    """Run a Hub that serves the first days of the real season, until the end of the block."""
    async with _serving(["--season"], log) as (values, client):
        last = _day(values, "FIRST_DAY") + timedelta(days)
        yield SimulatedHubProcess(_addresses(values), last, client)


@asynccontextmanager
async def _serving(
    arguments: Sequence[str], log: Path
) -> AsyncIterator[tuple[dict[str, str], httpx.AsyncClient]]:
    program = Program(
        "the simulated Hub",
        breakout_command("simulation", *arguments),
        changed_environment({}),
        log,
        pipe_output=True,
    )
    async with running(program) as child:
        values = await _announcement(child, log)
        # It runs on this machine: no proxy leads there.
        async with httpx.AsyncClient(trust_env=False) as client:
            yield values, client


def _addresses(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if not name.endswith("_DAY")}


def _day(values: Mapping[str, str], name: str) -> datetime:
    return datetime.fromisoformat(f"{values[name]}T00:00:00Z")


async def _announcement(child: ChildProcess, log: Path) -> dict[str, str]:
    """Read the lines NAME=VALUE that the simulated Hub prints once it listens."""
    values: dict[str, str] = {}
    try:
        async with asyncio.timeout(START_SECONDS):
            while "LAST_DAY" not in values:
                line = await child.output.readline()
                if not line:
                    raise CommandFailedError(f"the simulated Hub does not start: {_last_line(log)}")
                name, _, value = line.decode().strip().partition("=")
                values[name] = value
    except TimeoutError:
        raise CommandFailedError(
            f"the simulated Hub did not start within {START_SECONDS:.0f} s; its log is {log}"
        ) from None
    return values


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"its log {log} is empty"
