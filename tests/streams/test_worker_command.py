"""The command `breakout worker` and invalid settings."""

from pathlib import Path

import pytest

from breakout.settings import SettingsError, read_settings
from streams.cli import check_partitions
from tests.support.pipeline import Worker, running_pipeline


def test_mismatched_partition_count_is_reported() -> None:
    settings = read_settings(partitions=4)
    check_partitions(settings, {"breakout.downloads": 4})
    with pytest.raises(
        SettingsError, match=r"BREAKOUT_PARTITIONS: 4 does not match .* set it to 8"
    ):
        check_partitions(settings, {"breakout.models": 4, "breakout.downloads": 8})


def test_worker_exits_on_mismatched_partition_count(tmp_path: Path) -> None:
    with running_pipeline(tmp_path) as pipeline:
        environment = pipeline.environment | {"BREAKOUT_PARTITIONS": "8"}
        worker = Worker(environment, tmp_path / "refused.log")
        assert worker.process.wait(60) == 1
    log = worker.log.read_text()
    assert "BREAKOUT_PARTITIONS: 8 does not match" in log
    assert "Traceback" not in log
