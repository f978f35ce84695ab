"""`breakout top`: the leaderboard."""

import csv
import io
import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from breakout.cli.leaderboard import Crossing
from breakout.cli.leaderboard_text import crossing_text, current_ram_text, sparkline
from breakout.clickhouse.client import reader_client
from breakout.clickhouse.migrations import migrate
from breakout.observability.printable import printable
from breakout.settings import Settings
from tests.breakout.cli.conftest import Breakout
from tests.breakout.cli.seed import BIG, NOW, insert, seed

SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.mark.parametrize("columns", [50, 90, 120, 150])
def test_the_table_reads_well(breakout: Breakout, settings: Settings, columns: int) -> None:
    seed(settings)
    shown = breakout("top", COLUMNS=str(columns))
    assert shown.returncode == 0, shown.stderr
    lines = [line.rstrip() for line in shown.stdout.splitlines()]
    assert lines == (SNAPSHOTS / f"top-{columns}.txt").read_text().splitlines()


def test_json_has_numbers_as_numbers(breakout: Breakout, settings: Settings) -> None:
    seed(settings)
    board = json.loads(breakout("top", "--format", "json").stdout)
    assert board["baseline"] == "live"
    assert board["as_of"] == "2026-03-11T12:00:00.000+00:00"
    assert board["total"] == 3
    rocket, comet, huge = board["models"]
    assert rocket["rank"] == 1
    assert rocket["ram"] == pytest.approx(300_000 / (30.5 * 8000))
    assert rocket["ram_capped"] == rocket["ram"]
    assert rocket["milestone_age_days"] == 30
    assert rocket["milestone_ram"] == 1.25
    assert rocket["crossed_at"] == "2026-02-21T00:00:00.000+00:00"
    assert rocket["ended_at"] is None
    assert (rocket["breakout_status"], rocket["crossed_ram_capped"]) == ("confirmed", 1.25)
    assert rocket["top_day_share"] == 0.125
    assert len(rocket["trend"]) == 30
    # Day k before the last has 200 * (k + 1) new downloads; the first one is unknown.
    assert rocket["trend"][-1] == 200
    assert rocket["trend"][-2] == 400
    assert rocket["trend"][:17] == [None] * 17
    assert rocket["trend"][17] == 2600
    assert comet["tracked"] is False
    assert comet["ended_at"] == "2026-02-10T00:00:00.000+00:00"
    assert huge["cumulative"] == BIG
    assert huge["ram"] is None
    assert huge["peers"] == 6
    assert huge["ram_missing"] == "6 of 10 peers"
    assert huge["baseline_downloads"] is None
    assert huge["milestone_ram"] is None
    assert comet["confirmed_at"] == "2026-02-01T00:00:00.000+00:00"
    assert comet["ram_capped"] == comet["ram"] / 2
    assert huge["crossed_at"] is None
    assert huge["breakout_status"] is None


def test_csv_has_one_line_a_model(breakout: Breakout, settings: Settings) -> None:
    seed(settings)
    rows = list(csv.DictReader(io.StringIO(breakout("top", "--format", "csv").stdout)))
    assert [row["model_id"] for row in rows] == [
        "acme/Rocket-30B",
        "acme/Comet-30B",
        "other/Huge-300B",
    ]
    assert rows[2]["cumulative"] == str(BIG)
    assert rows[2]["ram"] == ""
    assert rows[0]["tracked"] == "True"


@pytest.mark.parametrize(
    ("confirmed_at", "ended_at", "text"),
    [
        (NOW, None, "▲ day 8"),
        (NOW, NOW, "△ day 8"),
        (None, None, "◇ day 8"),
        (None, NOW, "◇ day 8"),
    ],
)
def test_crossing_says_whether_it_is_confirmed_and_ongoing(
    confirmed_at: datetime | None, ended_at: datetime | None, text: str
) -> None:
    status = "burst" if confirmed_at is None else "confirmed"
    crossing = Crossing(NOW, 8, 1.2, ended_at, status, confirmed_at, 0.34, 0.9)
    assert crossing_text(crossing) == text
    assert crossing_text(None) == ""


@pytest.mark.parametrize(
    ("options", "models"),
    [
        (["--limit", "1"], ["acme/Rocket-30B"]),
        (["--limit", "1", "--all"], ["acme/Rocket-30B", "acme/Comet-30B", "other/Huge-300B"]),
        (["--size-bin", "250b+"], ["other/Huge-300B"]),
        (["--size-bin", "<1B"], []),
        (["--max-age-days", "31"], ["acme/Rocket-30B", "other/Huge-300B"]),
        (["--baseline", "live_fixed"], ["acme/Rocket-30B", "acme/Comet-30B"]),
        (["--baseline", "live_cutoff"], []),
        (["--org", "acme"], ["acme/Rocket-30B", "acme/Comet-30B"]),
        (["--org", "acme", "--org", "other", "--limit", "1"], ["acme/Rocket-30B"]),
        (
            ["--model", "other/Huge-300B", "--model", "acme/Comet-30B"],
            ["acme/Comet-30B", "other/Huge-300B"],
        ),
        (["--region", "US", "--org", "other"], ["other/Huge-300B"]),
        (["--region", "china"], []),
        (["--region", "china", "--region", "us", "--limit", "1"], ["acme/Rocket-30B"]),
    ],
)
def test_options_choose_the_models(
    breakout: Breakout, settings: Settings, options: list[str], models: list[str]
) -> None:
    seed(settings)
    shown = json.loads(breakout("top", "--format", "json", *options).stdout)["models"]
    assert [model["model_id"] for model in shown] == models


def test_baselines_score_differently(breakout: Breakout, settings: Settings) -> None:
    seed(settings)
    shown = json.loads(breakout("top", "--format", "json", "--baseline", "live_fixed").stdout)
    assert shown["models"][0]["ram"] == pytest.approx(300_000 / (30.5 * 16000))
    assert shown["models"][0]["crossed_at"] is None


def test_unknown_baseline_lists_the_known_ones(breakout: Breakout, settings: Settings) -> None:
    seed(settings)
    shown = breakout("top", "--baseline", "2026-Q4")
    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr.splitlines()[-1] == (
        'Error: --baseline: Unknown baseline "2026-Q4". '
        "Choose one of: live, live_cutoff, live_fixed"
    )


def test_options_that_match_nothing_are_not_taken_for_an_empty_database(
    breakout: Breakout, settings: Settings
) -> None:
    seed(settings)
    shown = breakout("top", "--size-bin", "<1B")
    assert shown.returncode == 0
    assert shown.stdout.startswith("No model matches these options.")


def test_an_empty_database_says_what_to_do(breakout: Breakout, settings: Settings) -> None:
    migrate(settings)
    shown = breakout("top")
    assert shown.returncode == 0
    assert "`breakout demo`" in shown.stdout
    assert json.loads(breakout("top", "--format", "json").stdout)["models"] == []
    assert breakout("top", "--format", "csv").stdout.count("\n") == 1


def test_without_a_schema_it_says_to_migrate(breakout: Breakout) -> None:
    shown = breakout("top")
    assert (shown.returncode, shown.stdout) == (1, "")
    assert "run `breakout migrate`" in shown.stderr
    assert len(shown.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        ["--limit", "0"],
        ["--max-age-days", "-1"],
        ["--max-age-days", "366"],
        ["--size-bin", "11B"],
        ["--region", "mars"],
        ["--format", "xml"],
        ["extra"],
    ],
)
def test_wrong_options_are_refused(breakout: Breakout, wrong: list[str]) -> None:
    shown = breakout("top", *wrong)
    assert shown.returncode == 2
    assert "Error:" in shown.stderr
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize(
    "model_id", ["evil/[/b]x[red]y", "evil/\x1b[2J\x9b1m\u202ekcab\x07", "evil/:smile:[link=x]\r\n"]
)
def test_names_are_neither_markup_nor_control(
    breakout: Breakout, settings: Settings, model_id: str
) -> None:
    """Such ids are rejected, but a table may hold some of before."""
    client = seed(settings)
    known = {"model_id": model_id, "org": "evil", "size_bin": "10-50B", "tracked": True}
    insert(client, "models_log", {**known, "base_models": [], "observed_at": NOW})
    insert(
        client,
        "latest_log",
        {
            "size_bin": "10-50B",
            "model_id": model_id,
            "released_at": NOW - timedelta(days=30),
            "tracked": True,
            "observed_at": NOW,
            "cumulative": 400_000,
            "known": 1,
            "version": 1,
        },
    )
    for style in ("table", "json"):
        shown = breakout("top", "--format", style)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown.stdout)
    models = json.loads(shown.stdout)["models"]
    assert model_id in {model["model_id"] for model in models}
    csv_rows = list(csv.DictReader(io.StringIO(breakout("top", "--format", "csv").stdout)))
    assert "evil" in {row["model_id"].partition("/")[0] for row in csv_rows}
    if "\n" not in model_id:
        table = "".join(breakout("top", COLUMNS="200").stdout.split())
        assert printable(model_id) in table


def test_many_models_are_no_problem(breakout: Breakout, settings: Settings) -> None:
    client = seed(settings)
    client.command(
        """
        INSERT INTO models_log (model_id, org, size_bin, released_at, tracked, observed_at)
        SELECT concat('many/Model-with-a-rather-long-name-', toString(number), '-30B'), 'many',
            '10-50B', '2026-02-09', true, now64(3) FROM numbers(2000)
        """
    )
    client.command(
        """
        INSERT INTO latest_log
            (size_bin, model_id, released_at, tracked, observed_at, cumulative, known, version)
        SELECT '10-50B', model_id, released_at, true, toDateTime64('2026-03-11 12:00:00', 3, 'UTC'),
            1000, 1, 1 FROM models_log WHERE org = 'many'
        """
    )
    shown = json.loads(breakout("top", "--format", "json", "--all").stdout)
    assert shown["total"] == len(shown["models"]) == 2003
    assert len(reader_client(settings).query("SELECT 1 FROM ram_now").result_rows) > 2003


def test_sparklines_show_gaps_and_zeros() -> None:
    assert sparkline([0, None, 50, 100]) == "▁ ▄█"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""
    assert sparkline([None]) == " "


def test_a_missing_ram_says_why() -> None:
    assert current_ram_text(None, "6 of 10 peers") == "6 of 10 peers"
    assert current_ram_text(1.005, None) == "1.00x"
    assert current_ram_text(0.0, None) == "0.00x"
