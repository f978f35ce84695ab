"""`python -m breakout.simulation`: serves invented models or the real season until stopped."""

import asyncio
import signal
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import click
from click.core import ParameterSource

from breakout.simulation.clock import SimulatedClock
from breakout.simulation.counters import Series
from breakout.simulation.hub import SimulatedHub
from breakout.simulation.invented import DAYS, MIN_DAYS, SEED, invented_catalog
from breakout.simulation.reviewed import names_csv
from breakout.simulation.season import FIRST_DAY, LAST_DAY, season_catalog, season_series

_DATE = click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"])


@click.command()
@click.option(
    "--season",
    is_flag=True,
    help="Serve real launches of 2024 and 2025, without --end, --days, --seed and --names-file.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    help="Port to listen on; 0 = any free port.",
)
@click.option("--end", type=_DATE, help="Last day of the history, UTC.  [default: today]")
@click.option(
    "--days",
    type=click.IntRange(MIN_DAYS),
    default=DAYS,
    show_default=True,
    help="Days of history before --end.",
)
@click.option("--now", type=_DATE, help="Initial time of the clock, UTC.  [default: --end]")
@click.option(
    "--speed",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="Simulated seconds per real second.",
)
@click.option(
    "--names-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write the reviewed names to, for BREAKOUT_NAMES_FILE.",
)
@click.option("--seed", default=SEED, show_default=True, help="Seed of the invented models.")
@click.pass_context
def main(
    context: click.Context,
    *,
    season: bool,
    host: str,
    port: int,
    end: datetime | None,
    days: int,
    now: datetime | None,
    speed: float,
    names_file: Path | None,
    seed: int,
) -> None:
    """Serve all simulated sources with invented models, or the Hub of a real season.

    The season has no tokens, ratings or ModelScope: its Hub and tracked-models list are all it
    serves.
    """
    counters: Mapping[str, Series] = {}
    if season:
        for name in ("end", "days", "seed", "names_file"):
            if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
                option = f"--{name.replace('_', '-')}"
                raise click.UsageError(f"{option} is for invented models: leave it out or --season")
        catalog, counters, first = season_catalog(), season_series(), FIRST_DAY
        end = datetime.combine(LAST_DAY, time(), UTC)
    else:
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        end = end.replace(tzinfo=UTC) if end is not None else today
        catalog, first = invented_catalog(end, days=days, seed=seed), end.date() - timedelta(days)
        if names_file is not None:
            names_file.write_text(names_csv(catalog))
    clock = SimulatedClock(now.replace(tzinfo=UTC) if now is not None else end, speed=speed)
    hub = SimulatedHub(catalog, clock=clock, host=host, port=port, hub_only=season)
    hub.set_counters(counters)
    if asyncio.run(_serve(hub, first, end.date())) == signal.SIGINT:
        click.echo("interrupted", err=True)
        context.exit(128 + signal.SIGINT)


async def _serve(hub: SimulatedHub, first: date, last: date) -> signal.Signals:
    """Serve until a signal, which is returned."""
    loop = asyncio.get_running_loop()
    received: asyncio.Future[signal.Signals] = loop.create_future()

    def stop(number: signal.Signals) -> None:
        if not received.done():
            received.set_result(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    async with hub:
        for setting, address in hub.addresses.items():
            click.echo(f"{setting}={address}")
        click.echo(f"FIRST_DAY={first}")
        click.echo(f"LAST_DAY={last}")
        return await received


if __name__ == "__main__":
    main()
