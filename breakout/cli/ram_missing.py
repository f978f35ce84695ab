"""Why models have no RAM, as the web page says it."""

from collections.abc import Sequence

from clickhouse_connect.driver.client import Client


def read_ram_missing(client: Client, baseline: str, models: Sequence[str]) -> dict[str, str]:
    """Return why each of these models has no current RAM; those that have one are left out."""
    if not models:
        return {}
    rows = client.query(
        """
        SELECT model_id, detail
        FROM ram_missing_of(baseline = {baseline:String}, models = {models:Array(String)})
        WHERE reason IS NOT NULL
        """,
        parameters={"baseline": baseline, "models": list(models)},
    ).result_rows
    return {row[0]: row[1] for row in rows}
