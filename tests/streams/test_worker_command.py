"""The command `breakout worker` and invalid settings."""

import signal
from pathlib import Path

import pytest

from breakout.settings import SettingsError, read_settings
from streams.cli import check_partitions
from tests.support.pipeline import Worker, running_pipeline
from tests.support.waiting import wait_until


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


def test_interrupted_worker_says_so_in_one_line(tmp_path: Path) -> None:
    with running_pipeline(tmp_path) as pipeline:
        worker = pipeline.start_worker()
        beats = "SELECT component FROM heartbeats WHERE component = 'worker'"
        wait_until("a heartbeat of the worker", lambda: pipeline.rows(beats))
        worker.process.send_signal(signal.SIGINT)
        assert worker.process.wait(60) == 130
    assert worker.log.read_text().splitlines()[-1] == "breakout: interrupted"
