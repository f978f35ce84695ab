"""`breakout demo`: a real season, and invented years, through the real pipeline."""

import os
import re
import signal
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from breakout.cli.demo_mark import mark_database
from breakout.cli.errors import CommandFailedError
from breakout.clickhouse.client import writer_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings
from tests.breakout.cli.forked import run_breakout
from tests.breakout.cli.processes import alive, eventually, running
from tests.support.brokers import running_broker
from tests.support.embedded_servers import running_clickhouse


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """With a place for temporary files of its own, and settings the demo must not heed."""
    (tmp_path / "tmp").mkdir()
    return {
        **os.environ,
        "TMPDIR": str(tmp_path / "tmp"),
        "HF_TOKEN": "hf_of_the_person",
        "BREAKOUT_CLICKHOUSE_PASSWORD": "of-the-person",
        "CLICKHOUSE_URL": "http://somewhere.invalid:8123/precious",
        "KAFKA_BOOTSTRAP_SERVERS": "somewhere.invalid:9092",
        "BREAKOUT_GROUP": "precious",
        "COLUMNS": "130",
    }


def test_season_ends_with_its_breakouts_and_leaves_nothing(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with running("demo", environment=environment, log=tmp_path / "log") as demo:
        assert demo.process.wait(240) == 0, demo.said
        said = demo.said
    assert re.search(
        r"Relative adoption \(RAM\) as of 2025-02-18 .*, baseline live: 15 of \d\d models", said
    )
    # Worked out by hand from the counters: tests/breakout/core/test_real_season.py.
    assert re.search(
        r"deepseek-ai/DeepSeek-R1-Distill-Qwen-1\.5B +1-5B +2025-01-27, day  7 +124,172 +"
        r"8\.91x",
        said,
    )
    assert "Not in these data: inference tokens, derivatives, leaderboards, ModelScope" in said
    assert "230 days of scrapes (2024-07-04 to 2025-02-18)" in said
    assert "All data are real." in said
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.slow
def test_invented_models_show_every_signal(environment: dict[str, str], tmp_path: Path) -> None:
    command = ("demo", "--invented", "--days", "30")
    with running(*command, environment=environment, log=tmp_path / "log") as demo:
        assert demo.process.wait(150) == 0, demo.said
        said = demo.said
    assert said.count("invented") >= 2
    assert re.search(r"Relative adoption \(RAM\) as of .*, baseline live: 15 of \d+ models", said)
    assert re.search(r"\d{4}-\d\d-\d\d, day [ \d]\d +[\d,]+ +\d+\.\d\dx", said)
    assert re.search(r"open models had \d+\.\d% of inference", said)
    assert re.search(r"31 days of scrapes \(.*\), [89],\d{3} observations in \d+ s", said)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_at_a_terminal_it_serves_the_page_and_what_it_kept_can_be_looked_at_again(
    environment: dict[str, str], tmp_path: Path
) -> None:
    command = ("demo", "--days", "60", "--keep")
    with running(*command, environment=environment, log=tmp_path / "log", terminal=True) as demo:
        demo.until("until Ctrl-C", 150)
        (page,) = set(re.findall(r"http://127\.0\.0\.1:\d+/", demo.said))
        assert 'data-simulated="season"' in httpx.get(page, timeout=60).text
        assert httpx.get(f"{page}v1/ram", timeout=60).json()["data"]
        assert demo.interrupt() == 130
        said = demo.said
    exports = re.search(r"export (.*)", said)
    assert exports is not None
    kept = {
        **environment,
        "BREAKOUT_CLICKHOUSE_PASSWORD": "",
        **dict(pair.split("=", 1) for pair in exports[1].split()),
    }
    with running("embedded", environment=kept, log=tmp_path / "embedded") as embedded:
        embedded.until("Ctrl-C stops both")
        shown = run_breakout(["top", "--format", "json"], kept, 60)
        assert '"model_id"' in shown.stdout, shown.stderr


@pytest.mark.slow
def test_ctrl_c_cleans_up(environment: dict[str, str], tmp_path: Path) -> None:
    with running("demo", environment=environment, log=tmp_path / "log") as demo:
        demo.until("observations, ")
        children = demo.children()
        assert len(children) >= 5
        assert demo.interrupt(signal.SIGINT) == 130
        eventually("the end of all children", lambda: not any(map(alive, children)))
        assert "Traceback" not in demo.said
        assert "stopping the demo" in demo.said
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("days", ["0", "13", "1501", "week"])
def test_wrong_days_are_wrong_usage(environment: dict[str, str], days: str) -> None:
    command = ["demo", "--invented", "--days", days]
    assert run_breakout(command, environment, 60).returncode == 2


def test_more_days_than_the_season_has_are_wrong_usage(environment: dict[str, str]) -> None:
    answer = run_breakout(["demo", "--days", "230"], environment, 60)
    assert answer.returncode == 2
    assert "--days 230 is longer than the season: choose at most 229" in answer.stderr


def observe(settings: Settings) -> None:
    """Store one observation."""
    with closing(writer_client(settings)) as client:
        client.command("INSERT INTO downloads_log (model_id, observed_at) VALUES ('a/b', now())")


def test_empty_database_is_marked_and_may_be_marked_again(settings: Settings) -> None:
    migrate(settings)
    mark_database(settings, "season")
    mark_database(settings, "season")
    with closing(writer_client(settings)) as client:
        assert client.query("SELECT what FROM simulated FINAL").result_rows == [("season",)]


@pytest.mark.parametrize(("first", "second"), [("season", "invented"), ("invented", "season")])
def test_season_and_invented_models_are_never_in_one_database(
    settings: Settings, first: str, second: str
) -> None:
    migrate(settings)
    mark_database(settings, first)
    with pytest.raises(CommandFailedError, match=f"holds {first} data, .* {second} data"):
        mark_database(settings, second)


@pytest.mark.parametrize("mark", ["season", "invented"])
def test_observed_data_are_not_mixed_with_the_demos(settings: Settings, mark: str) -> None:
    migrate(settings)
    observe(settings)
    with pytest.raises(CommandFailedError, match="holds observed data"):
        mark_database(settings, mark)
    with closing(writer_client(settings)) as client:
        assert client.query("SELECT count() FROM simulated").result_rows == [(0,)]


@pytest.mark.slow
def test_fills_the_servers_of_the_settings_but_not_twice(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with (
        running_broker(tmp_path / "broker") as broker,
        running_clickhouse(tmp_path / "clickhouse") as clickhouse,
    ):
        there = {
            **environment,
            "BREAKOUT_CLICKHOUSE_PASSWORD": "",
            "BREAKOUT_GROUP": "of-the-stack",
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
            "CLICKHOUSE_URL": f"{clickhouse.url}/shown",
        }
        command = ("demo", "--here", "--days", "14")
        with running(*command, environment=there, log=tmp_path / "log") as demo:
            assert demo.process.wait(150) == 0, demo.said
        shown = run_breakout(["top", "--format", "json"], there, 60)
        assert '"model_id"' in shown.stdout, shown.stderr
        for kind in ([], ["--invented"]):
            with running(*command, *kind, environment=there, log=tmp_path / "again") as demo:
                assert demo.process.wait(90) == 1
                assert "shown (CLICKHOUSE_URL) holds season data" in " ".join(demo.said.split())
                assert "Traceback" not in demo.said


def test_here_and_keep_do_not_go_together(environment: dict[str, str]) -> None:
    answer = run_breakout(["demo", "--here", "--keep"], environment, 60)
    assert answer.returncode == 2
    assert "--keep cannot be combined with --here" in answer.stderr
