"""What one message of an alert is of: a breakout, or all old ones that were found on one day."""

from datetime import UTC, datetime, timedelta

from breakout.clickhouse.client import migration_client, reader_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings

COLUMNS = (
    "baseline", "size_bin", "model_id", "crossed_at", "age_days", "ram", "ended_at", "retracted",
    "version",
)  # fmt: skip


def test_crossings_older_than_a_week_when_found_share_a_message(settings: Settings) -> None:
    now = datetime.now(UTC)
    client = migration_client(settings)
    migrate(settings)
    client.database = settings.clickhouse.database

    def write(model: str, days_ago: int, *, retracted: bool = False, version: int = 1) -> None:
        crossed = now - timedelta(days=days_ago)
        row = ("live", "7-9B", model, crossed, 9, 1.25, None, retracted, version)
        client.insert("breakouts_log", [row], COLUMNS)

    write("a/new", 1)
    write("a/old", 30)
    write("a/older", 60)
    write("a/taken-back", 30)
    write("a/taken-back", 30, retracted=True, version=2)
    answer = reader_client(settings).query("SELECT model, message FROM watched_breakouts")
    messages = {row["model"]: row["message"] for row in answer.named_results()}
    assert messages.keys() == {"a/new", "a/old", "a/older"}
    assert messages["a/new"] == "a/new"
    assert messages["a/old"] == messages["a/older"]
    assert messages["a/old"].startswith("crossings found on ")
