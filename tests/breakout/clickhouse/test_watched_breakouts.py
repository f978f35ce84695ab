"""What one message of an alert is of: a breakout, or all old ones that were found on one day."""

from datetime import UTC, datetime, timedelta

from breakout.clickhouse.client import migration_client, reader_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings

COLUMNS = (
    "baseline", "size_bin", "model_id", "crossed_at", "age_days", "ram", "confirmed_at",
    "retracted", "version",
)  # fmt: skip
DAY = timedelta(days=1)


def test_breakouts_older_than_a_week_when_found_share_a_message(settings: Settings) -> None:
    now = datetime.now(UTC)
    client = migration_client(settings)
    migrate(settings)
    client.database = settings.clickhouse.database

    def write(
        model: str,
        crossed: int,
        confirmed: int | None,
        *,
        retracted: bool = False,
        version: int = 1,
    ) -> None:
        confirmed_at = None if confirmed is None else now - confirmed * DAY
        row = (
            "live",
            "7-9B",
            model,
            now - crossed * DAY,
            9,
            1.25,
            confirmed_at,
            retracted,
            version,
        )
        client.insert("breakouts_log", [row], COLUMNS)

    write("a/new", 1, 1)
    write("a/old", 30, 30)
    write("a/older", 60, 30)
    write("a/taken-back", 30, 30)
    write("a/taken-back", 30, 30, retracted=True, version=2)
    write("a/burst", 1, None)
    # A burst that is confirmed after weeks is news on that day.
    write("a/confirmed", 30, None)
    write("a/confirmed", 30, 1, version=2)
    answer = reader_client(settings).query("SELECT model, message FROM watched_breakouts")
    messages = {row["model"]: row["message"] for row in answer.named_results()}
    assert messages.keys() == {"a/new", "a/old", "a/older", "a/confirmed"}
    assert messages["a/new"] == "a/new"
    assert messages["a/confirmed"] == "a/confirmed"
    assert messages["a/old"] == messages["a/older"]
    assert messages["a/old"].startswith("crossings found on ")
