"""The view `sources`: as of when each source was read, and how to cite it."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from breakout.clickhouse.client import writer_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("origins", "archive", "days"),
    [
        (("hub-stats-30d",), "hub-stats", 0),
        (("hub-stats", "hub-stats-30d"), "hub-stats", 1),
        (("hub-stats-30d", "hub-stats"), "hub-stats", 1),
        (("hub-weekly-snapshots-30d",), "hub-weekly-snapshots", 0),
        (("live-30d", "live"), None, 0),
        (("file-30d",), None, 0),
    ],
)
def test_observations_of_young_models_are_cited_as_their_archive(
    settings: Settings, origins: tuple[str, ...], archive: str | None, days: int
) -> None:
    migrate(settings)
    with closing(writer_client(settings, timeout_seconds=60)) as client:
        client.insert(
            "downloads_log",
            [
                ["a/b", AT + timedelta(days=day), "huggingface", origin, 1]
                for day, origin in enumerate(origins)
            ],
            column_names=["model_id", "observed_at", "source", "origin", "version"],
        )
        client.insert(
            "scrapes_log",
            [["huggingface", AT, "scrape", 0, 1, True]],
            column_names=["source", "observed_at", "scrape_id", "slice", "models", "complete"],
        )
        rows = client.query("SELECT source, as_of, citation FROM sources").result_rows
    read = {source: (as_of, citation) for source, as_of, citation in rows if as_of is not None}
    expected = {"huggingface": AT} | ({archive: AT + timedelta(days=days)} if archive else {})
    assert {source: as_of for source, (as_of, _) in read.items()} == expected
    for as_of, citation in read.values():
        assert f"as of {as_of:%Y-%m-%dT%H:%M:%SZ}." in citation
    assert len(rows) == len({source for source, *_ in rows})
