"""The mark of simulated data, which stays with the database."""

from contextlib import closing
from datetime import UTC, datetime

from breakout.cli.errors import CommandFailedError
from breakout.clickhouse.client import writer_client
from breakout.clickhouse.errors import explained
from breakout.settings import Settings


def mark_database(settings: Settings, mark: str) -> None:
    """Mark an empty database as one of these data.

    Raises `CommandFailedError` for one that holds data, or the mark of others: an interrupted demo
    may have left records in Kafka that are not stored yet.
    """
    with explained(settings), closing(writer_client(settings)) as client:
        rows = client.query(
            "SELECT (SELECT count() FROM downloads_log) + (SELECT count() FROM models_log)"
        ).result_rows[0][0]
        marks = {what for (what,) in client.query("SELECT what FROM simulated").result_rows}
        if rows or marks - {mark}:
            held = " and ".join(sorted(marks)) or "observed"
            raise CommandFailedError(
                f"{settings.clickhouse} (CLICKHOUSE_URL) holds {held} data, and the demo writes "
                f"{mark} data into an empty database only, so that they are never mixed: set "
                "CLICKHOUSE_URL to an empty database"
            )
        client.insert("simulated", [[mark, datetime.now(UTC)]], ["what", "since"])
