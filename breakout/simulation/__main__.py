"""`python -m breakout.simulation`: serve the invented models until stopped."""

import asyncio
import signal
from datetime import UTC, datetime, timedelta

import click

from breakout.simulation.clock import SimulatedClock
from breakout.simulation.hub import SimulatedHub
from breakout.simulation.invented import DAYS, MIN_DAYS, SEED, invented_catalog

_DATE = click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"])


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    help="Port to listen on; 0 = any free one.",
)
@click.option("--end", type=_DATE, help="Last day of the history, UTC.  [default: today]")
@click.option(
    "--days",
    type=click.IntRange(MIN_DAYS),
    default=DAYS,
    show_default=True,
    help="Days of history before it.",
)
@click.option("--now", type=_DATE, help="Where the clock starts, UTC.  [default: --end]")
@click.option(
    "--speed",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="Simulated seconds a real second.",
)
@click.option("--seed", default=SEED, show_default=True, help="Another seed, other models.")
def main(
    *,
    host: str,
    port: int,
    end: datetime | None,
    days: int,
    now: datetime | None,
    speed: float,
    seed: int,
) -> None:
    """Serve a simulated Hugging Face Hub with invented models."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    last = end.replace(tzinfo=UTC) if end is not None else today
    clock = SimulatedClock(now.replace(tzinfo=UTC) if now is not None else last, speed=speed)
    catalog = invented_catalog(last, days=days, seed=seed)
    asyncio.run(_serve(SimulatedHub(catalog, clock=clock, host=host, port=port), last, days))


async def _serve(hub: SimulatedHub, end: datetime, days: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with hub:
        click.echo(f"HF_ENDPOINT={hub.url}")
        click.echo(f"TRACKED_MODELS_URL={hub.tracked_models_url}")
        click.echo(f"FIRST_DAY={(end - timedelta(days=days)).date()}")
        click.echo(f"LAST_DAY={end.date()}")
        await stop.wait()


if __name__ == "__main__":
    main()
