"""Archives that filled the history are sources of what rests on it."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx

from breakout.clickhouse.client import writer_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings
from tests.api.conftest import serving
from tests.support.embedded_servers import ClickHouseServer

AT = datetime(2026, 1, 1, tzinfo=UTC)
PUBLIC = "https://breakout.example/figures"


def test_archives_of_the_history_are_sources(clickhouse: ClickHouseServer, tmp_path: Path) -> None:
    settings = Settings(clickhouse_url=f"{clickhouse.url}/archives")
    migrate(settings)
    with closing(writer_client(settings)) as client:
        columns = ["source", "origin", "observed_at", "digest", "models", "published_at"]
        origins = ("hub-weekly-snapshots", "own-file")
        rows = [["huggingface", origin, AT, 0, 1, AT] for origin in origins]
        client.insert("backfills", rows, columns)
    with (
        serving(tmp_path, settings, BREAKOUT_API_PUBLIC_URL=PUBLIC) as server,
        httpx.Client(base_url=server.url, timeout=60) as client_,
    ):
        for path in ("downloads", "ram", "ram/curves", "ram/milestones", "baselines", "breakouts"):
            page = client_.get(f"/v1/{path}").json()
            assert page["sources"] == ["huggingface", "tracked-models", "hub-weekly-snapshots"]
            assert "Hub weekly snapshots (ODbL-1.0)" in page["citation"]
            assert f"<{PUBLIC}/v1/{path}>" in page["citation"]
        for path in ("downloads?source=modelscope", "families", "inference/share"):
            assert "hub-weekly-snapshots" not in client_.get(f"/v1/{path}").json()["sources"]
