"""The metrics address of a process."""

import socket
import urllib.request

import pytest

from breakout.observability import metrics
from breakout.observability.metrics_server import start_metrics
from breakout.settings import SettingsError, read_settings


def test_serves_the_metrics_on_a_free_port() -> None:
    address = start_metrics(read_settings(metrics_port=0))
    metrics.PUBLISHED.labels("test_telemetry").inc(3)
    with urllib.request.urlopen(address, timeout=10) as answer:
        text = answer.read().decode()
    assert 'breakout_published_records_total{topic="test_telemetry"} 3.0' in text


def test_a_port_in_use_names_its_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"BREAKOUT_METRICS_PORT: .*127\.0\.0\.1:{port}"):
            start_metrics(read_settings(metrics_port=port))


def test_a_host_that_is_not_ours_names_its_setting() -> None:
    with pytest.raises(SettingsError, match="BREAKOUT_METRICS_HOST"):
        start_metrics(read_settings(metrics_host="192.0.2.1"))
