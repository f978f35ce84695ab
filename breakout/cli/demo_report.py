"""The report at the end of the demo: the leaderboard, latest breakouts, and other signals."""

from clickhouse_connect.driver.client import Client

from breakout.cli.console import PlainConsole
from breakout.cli.leaderboard import read_leaderboard
from breakout.cli.leaderboard_text import as_table

PLACES = 15
BREAKOUTS = 5
INVENTED = "Simulated data: every model and organisation above is invented."


def print_report(client: Client, out: PlainConsole, observations: int, seconds: float) -> None:
    """Print the report."""
    out.print()
    board = read_leaderboard(client, limit=PLACES)
    out.print(as_table(board, width=out.width, source=INVENTED))
    out.print()
    out.print("Latest breakouts", style="bold")
    for line in breakout_lines(client) or ["none: no model up to a year old has passed 1.00x yet"]:
        out.print(f"  {line}")
    for line in signal_lines(client):
        out.print(line)
    days, first, last = client.query(
        "SELECT uniqExact(toDate(observed_at)), min(observed_at), max(observed_at) "
        "FROM downloads_log"
    ).result_rows[0]
    out.print()
    out.print(
        f"{days} simulated days ({first:%Y-%m-%d} to {last:%Y-%m-%d}), {observations:,} "
        f"observations in {seconds:.0f} s. {INVENTED}"
    )


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
    lines = ["", "Other signals"]
    lines += [
        f"  open models had {part:.0%} of inference in {month:%B %Y}" for month, part in share
    ]
    for count, generations in derived.result_rows:
        lines.append(f"  {count} derivatives, up to {generations} generations from their base")
    lines += [f"  best open model: {name} ({region}), rated {at:,.0f}" for region, name, at in best]
    return [*lines, "  `breakout chart` shows them over time"]


def breakout_lines(client: Client, limit: int = BREAKOUTS) -> list[str]:
    """Return the latest breakouts, newest first, each as a sentence with its figures."""
    rows = client.query(
        """
        SELECT
            b.model_id AS model_id, b.crossed_at AS crossed_at, b.age_days AS age_days,
            b.ended_at AS ended_at, r.size_bin AS size_bin, r.ram AS ram,
            r.cumulative AS cumulative, r.baseline_downloads AS baseline_downloads
        FROM breakouts AS b
        INNER JOIN ram AS r
            ON r.baseline = b.baseline AND r.model_id = b.model_id AND r.age_days = b.age_days
        WHERE b.baseline = 'live'
        ORDER BY b.crossed_at DESC, b.model_id
        LIMIT {limit:UInt32}
        """,
        parameters={"limit": limit},
    ).named_results()
    return [
        f"{row['model_id']} passed 1.00x of {row['size_bin']} at day {row['age_days']} "
        f"({row['crossed_at']:%Y-%m-%d}): {row['cumulative']:,} downloads against "
        f"{row['baseline_downloads']:,.0f}, {row['ram']:.2f}x"
        + (f"; ended {row['ended_at']:%Y-%m-%d}" if row["ended_at"] else "")
        for row in rows
    ]
