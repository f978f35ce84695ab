"""The report at the end of the demo: the leaderboard, breakouts and bursts, and other signals."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from clickhouse_connect.driver.client import Client
from rich.console import RenderableType

from breakout.cli.console import PlainConsole
from breakout.cli.demo_data import DemoData
from breakout.cli.leaderboard import Leaderboard, read_leaderboard
from breakout.cli.leaderboard_text import as_table
from breakout.cli.tables import Column, fitting
from breakout.numbers import count_text, decimal_text, ram_text, share_text

PLACES = 15
BREAKOUTS, BURSTS = 10, 5
CURRENT = timedelta(days=3)
"""A counter may stand between two renewals for this long."""
CAPPED = (
    "capped: RAM with each day's downloads capped at 10 times the model's median day, below 1.00x "
    "for a burst; top day: the greatest day's share"
)


@dataclass(frozen=True)
class Breakout:
    """A model that passed 1.00x, with its figures at that age."""

    model_id: str
    size_bin: str
    age_days: int
    crossed_at: datetime
    ended_at: datetime | None
    cumulative: int
    ram: float
    status: str
    confirmed_at: datetime | None
    ram_capped: float | None
    top_day_share: float | None

    @property
    def confirmed_age(self) -> int | None:
        """Age in days at which it was confirmed; None for a burst."""
        if self.confirmed_at is None:
            return None
        return self.age_days + (self.confirmed_at - self.crossed_at).days


def print_report(
    client: Client, out: PlainConsole, data: DemoData, observations: int, seconds: float
) -> None:
    """Print the report."""
    out.print()
    if data.first_days_only:
        board = current_places(read_leaderboard(client, limit=None))
    else:
        board = read_leaderboard(client, limit=PLACES)
    out.print(as_table(board, width=out.width, source=data.source))
    breakouts = read_breakouts(client)
    bursts = [one for one in breakouts if one.status == "burst"]
    confirmed = [one for one in breakouts if one.status == "confirmed"]
    out.print()
    out.print(_heading("Breakouts", confirmed, BREAKOUTS), style="bold")
    if confirmed:
        out.print(breakouts_table(confirmed[:BREAKOUTS], out.width))
    else:
        out.print("No model has passed 1.00x at an age of 7 to 90 days.")
    if bursts:
        out.print()
        out.print(_heading("Bursts", bursts, BURSTS), style="bold")
        out.print(breakouts_table(bursts[:BURSTS], out.width))
    if breakouts:
        out.print(CAPPED, style="dim")
    out.print()
    if data.missing:
        out.print(
            f"Not in these data: {', '.join(data.missing)}. `breakout demo --invented` shows them."
        )
    else:
        for line in signal_lines(client):
            out.print(line)
    days, first, last = client.query(
        "SELECT uniqExact(toDate(observed_at)), min(observed_at), max(observed_at) "
        "FROM downloads_log"
    ).result_rows[0]
    out.print()
    out.print(
        f"{count_text(days)} days of scrapes ({first:%Y-%m-%d} to {last:%Y-%m-%d}), "
        f"{count_text(observations)} observations in {seconds:.0f} s. {data.reminder}"
    )


def current_places(board: Leaderboard, limit: int = PLACES) -> Leaderboard:
    """Return the first places of the models that still have a counter at the board's date."""
    if board.as_of is None:
        return board
    current = [one for one in board.places if board.as_of - one.as_of <= CURRENT]
    places = tuple(replace(one, rank=rank) for rank, one in enumerate(current[:limit], start=1))
    return replace(board, total=len(current), places=places)


def read_breakouts(client: Client) -> list[Breakout]:
    """Return all breakouts, the newest first."""
    rows = client.query(
        """
        SELECT
            b.model_id AS model_id, r.size_bin AS size_bin, b.age_days AS age_days,
            b.crossed_at AS crossed_at, b.ended_at AS ended_at, r.cumulative AS cumulative,
            r.ram AS ram, b.status AS status, b.confirmed_at AS confirmed_at,
            b.ram_capped AS ram_capped, b.top_day_share AS top_day_share
        FROM breakouts AS b
        INNER JOIN ram AS r
            ON r.baseline = b.baseline AND r.model_id = b.model_id AND r.age_days = b.age_days
        WHERE b.baseline = 'live'
        ORDER BY b.crossed_at DESC, r.ram DESC, b.model_id
        """
    ).named_results()
    return [Breakout(**row) for row in rows]


def breakouts_table(breakouts: Sequence[Breakout], width: int) -> RenderableType:
    """Return breakouts as a table."""
    titles = ["passed 1.00x", "downloads", "RAM", "capped", "top day", "confirmed"]
    if all(one.confirmed_age in {None, one.age_days} for one in breakouts):
        titles.remove("confirmed")
    columns = [
        Column("model", wraps=True),
        Column("size"),
        *(Column(title, right=True) for title in titles),
    ]
    return fitting(columns, [_row(one)[: len(columns)] for one in breakouts], width)


def _row(one: Breakout) -> list[str]:
    return [
        one.model_id,
        one.size_bin,
        f"{one.crossed_at:%Y-%m-%d}, day {one.age_days:>2}",
        count_text(one.cumulative),
        ram_text(one.ram),
        "" if one.ram_capped is None else ram_text(one.ram_capped),
        "" if one.top_day_share is None else share_text(one.top_day_share),
        "" if one.confirmed_age is None else f"day {one.confirmed_age:>2}",
    ]


def signal_lines(client: Client) -> list[str]:
    """Return the other signals: inference, derivatives and leaderboards."""
    share = client.query(
        "SELECT month, open_share FROM inference_share_monthly ORDER BY month DESC LIMIT 1"
    ).result_rows
    derived = client.query("SELECT countIf(counted), max(length(ancestors)) FROM derivatives")
    best = client.query(
        "SELECT region, name, rating FROM best_scores WHERE source = 'arena' AND board = 'text' "
        "ORDER BY published_on DESC, rating DESC LIMIT 1"
    ).result_rows
    lines = ["Other signals"]
    lines += [
        f"  open models had {share_text(part)} of inference in {month:%B %Y}"
        for month, part in share
    ]
    lines += [
        f"  {count_text(count)} derivatives, up to {generations} generations from their base"
        for count, generations in derived.result_rows
    ]
    lines += [
        f"  best open model: {name} ({region}), rated {decimal_text(rating)}"
        for region, name, rating in best
    ]
    return [*lines, "  `breakout chart` shows them over time"]


def _heading(name: str, breakouts: Sequence[Breakout], limit: int) -> str:
    latest = f", the latest {limit}" if len(breakouts) > limit else ""
    return f"{name}: {count_text(len(breakouts))}{latest}"
