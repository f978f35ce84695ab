"""The data source of a Grafana beside `breakout up`."""

from pathlib import Path
from urllib.parse import urlsplit

import yaml

from breakout.settings import Settings
from grafana.builder.addresses import CLICKHOUSE

FILE = (
    Path(__file__).resolve().parents[2] / "grafana" / "same-machine" / "datasources/breakout.yaml"
)


def test_the_data_source_leads_to_the_embedded_clickhouse() -> None:
    (source,) = yaml.safe_load(FILE.read_text())["datasources"]
    assert (source["uid"], source["type"]) == (CLICKHOUSE, "grafana-clickhouse-datasource")
    data = source["jsonData"]
    fields = Settings.model_fields
    address = urlsplit(str(fields["clickhouse_url"].default))
    assert (data["protocol"], data["secure"]) == ("http", False)
    assert (data["host"], data["port"]) == (address.hostname, address.port)
    assert f"/{data['defaultDatabase']}" == address.path
    assert data["username"] == fields["reader_user"].default
    assert source["secureJsonData"] == {"password": "$BREAKOUT_READER_PASSWORD"}
