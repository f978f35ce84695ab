"""`breakout top`: the leaderboard of relative adoption."""

from contextlib import closing

import click

from breakout.cli.console import console, echo, echo_data, format_option
from breakout.cli.known_names import require_known
from breakout.cli.leaderboard import EVERY_MODEL, Filters, read_leaderboard
from breakout.cli.leaderboard_text import NO_DATA, NO_MATCH, as_csv, as_json, as_table
from breakout.cli.start import start
from breakout.clickhouse.client import reader_client
from breakout.clickhouse.errors import explained
from breakout.clickhouse.known_names import BASELINE, MODEL, ORGANISATION
from breakout.core.sizes import SIZE_BINS

REGIONS = ("us", "china", "eu", "other", "unknown", "unreviewed")


@click.command()
@click.option("--baseline", default="live", show_default=True, help="Baseline to compare with.")
@click.option(
    "--size-bin",
    type=click.Choice(SIZE_BINS, case_sensitive=False),
    help="Only models of this size bin.",
)
@click.option("--model", "models", multiple=True, help="Only this model; may be repeated.")
@click.option("--org", "orgs", multiple=True, help="Only this organisation; may be repeated.")
@click.option(
    "--region",
    "regions",
    multiple=True,
    type=click.Choice(REGIONS, case_sensitive=False),
    help="Only organisations of this region; may be repeated.",
)
@click.option(
    "--max-age-days",
    type=click.FloatRange(0, 365),
    default=365,
    show_default=True,
    help="Only models up to this age.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Number of models to show.",
)
@click.option("--all", "everything", is_flag=True, help="Show all models.")
@format_option("table", "json", "csv")
def top(
    *,
    baseline: str,
    size_bin: str | None,
    models: tuple[str, ...],
    orgs: tuple[str, ...],
    regions: tuple[str, ...],
    max_age_days: float,
    limit: int,
    everything: bool,
    style: str,
) -> None:
    """Show the leaderboard: models up to a year old by their current RAM.

    RAM is a model's downloads divided by the baseline's at the same age: 1.0x matches the
    most downloaded models of its size bin. RAM of different baselines is not comparable.
    Capped RAM counts no day with more than 10 times the median day: a model that passes 1.0x
    without passing it capped had a burst.
    """
    settings = start()
    filters = Filters(size_bin, max_age_days, models, orgs, regions)
    with explained(settings), closing(reader_client(settings)) as client:
        require_known(client, BASELINE, [baseline], "--baseline")
        require_known(client, MODEL, models, "--model")
        require_known(client, ORGANISATION, orgs, "--org")
        board = read_leaderboard(
            client, baseline=baseline, filters=filters, limit=None if everything else limit
        )
    if style == "json":
        click.echo(as_json(board))
    elif style == "csv":
        echo_data(as_csv(board))
    elif board.places:
        out = console()
        out.print(as_table(board, width=out.width))
    else:
        echo(NO_DATA if filters == EVERY_MODEL else NO_MATCH)
