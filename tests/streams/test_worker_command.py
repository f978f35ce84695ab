"""The command `breakout worker` and wrong input to it."""

from pathlib import Path

import pytest

from breakout.settings import SettingsError, read_settings
from streams.cli import check_partitions
from tests.support.pipeline import Worker, running_pipeline


def test_a_wrong_number_of_partitions_is_named() -> None:
    settings = read_settings(partitions=4)
    check_partitions(settings, {"breakout.downloads": 4})
    with pytest.raises(SettingsError, match=r"BREAKOUT_PARTITIONS: is 4, .* set it to 8"):
        check_partitions(settings, {"breakout.models": 4, "breakout.downloads": 8})


def test_a_worker_refuses_topics_of_another_number_of_partitions(tmp_path: Path) -> None:
    with running_pipeline(tmp_path) as pipeline:
        environment = pipeline.environment | {"BREAKOUT_PARTITIONS": "8"}
        worker = Worker(environment, tmp_path / "refused.log")
        assert worker.process.wait(60) == 1
    said = worker.log.read_text()
    assert "BREAKOUT_PARTITIONS: is 8" in said
    assert "Traceback" not in said
